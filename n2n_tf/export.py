"""Exports a trained denoiser as a SavedModel or in other formats.

python -m n2n_tf.export                           # writes models/n2n/1/
python -m n2n_tf.export --run_dir=runs/gaussian --output=models/gaussian --format=onnx

`noise2x export n2n` is the same command. Without --run_dir it exports the newest finished run of
n2n_tf in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from n2n_tf.method import METHOD


def main():
    """Runs `python -m n2n_tf.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
