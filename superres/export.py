"""Exports a trained model that enlarges images as a SavedModel or in other formats.

python -m superres.export                         # writes models/superres/1/
python -m superres.export --run_dir=runs/x3 --output=models/x3 --format=onnx

`noise2x export superres` is the same command. Without --run_dir it exports the newest finished run
of superres in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from superres.method import METHOD


def main():
    """Runs `python -m superres.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
