"""Exports a trained reconstruction as a SavedModel.

python -m n2n_tf.mri.export                       # writes models/n2n-mri/1/
python -m n2n_tf.mri.export --run_dir=runs/ixi --output=models/ixi

`noise2x export n2n-mri` is the same command. Without --run_dir it exports the newest finished run
of n2n_tf.mri in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving.
"""

from common import commands
from n2n_tf.mri.method import METHOD


def main():
    """Runs `python -m n2n_tf.mri.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
