"""Exports a trained denoiser as a SavedModel, for TensorFlow Serving and the like.

python -m n2n_tf.mri.export --run_dir=runs/first --output=models/mri       # writes models/mri/1/
"""

from common import commands
from n2n_tf.mri.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
