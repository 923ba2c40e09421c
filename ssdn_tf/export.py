"""Exports a trained denoiser as a SavedModel or in other formats.

python -m ssdn_tf.export                          # writes models/ssdn/1/
python -m ssdn_tf.export --run_dir=runs/gauss25 --output=models/gauss25 --format=onnx

`noise2x export ssdn` is the same command. Without --run_dir it exports the newest finished run of
ssdn_tf in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from ssdn_tf.method import METHOD


def main():
    """Runs `python -m ssdn_tf.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
