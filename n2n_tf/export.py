"""Exports a trained denoiser as a SavedModel, for TensorFlow Serving and the like.

python -m n2n_tf.export --run_dir=runs/first --output=models/n2n       # writes models/n2n/1/
"""

from common import commands
from n2n_tf.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
