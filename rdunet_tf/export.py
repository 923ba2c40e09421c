"""Exports a trained denoiser as a SavedModel, for TensorFlow Serving and the like.

python -m rdunet_tf.export --run_dir=runs/first --output=models/rdunet     # writes models/rdunet/1/
"""

from common import commands
from rdunet_tf.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
