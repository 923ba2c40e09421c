"""Exports a trained denoiser as a SavedModel or in other formats.

python -m rdunet_tf.export                        # writes models/rdunet/1/
python -m rdunet_tf.export --run_dir=runs/rdunet --output=models/rdunet --format=onnx

`noise2x export rdunet` is the same command. Without --run_dir it exports the newest finished run of
rdunet_tf in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from rdunet_tf.method import METHOD


def main():
    """Runs `python -m rdunet_tf.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
