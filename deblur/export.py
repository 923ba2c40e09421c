"""Exports a trained deblurring network as a SavedModel or in other formats.

python -m deblur.export                           # writes models/deblur/1/
python -m deblur.export --run_dir=runs/convolve --output=models/convolve --format=onnx

`noise2x export deblur` is the same command. Without --run_dir it exports the newest finished run of
deblur in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from deblur.method import METHOD


def main():
    """Runs `python -m deblur.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
