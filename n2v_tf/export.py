"""Exports a trained denoiser as a SavedModel or in other formats.

python -m n2v_tf.export                           # writes models/n2v/1/
python -m n2v_tf.export --run_dir=runs/cells --output=models/cells --format=bioimageio

`noise2x export n2v` is the same command. Without --run_dir it exports the newest finished run of
n2v_tf in runs/. A SavedModel runs in TensorFlow and TensorFlow Serving. A model that was trained on
files takes and returns values on the scale of those files, not on [0, 1].
"""

from common import commands
from n2v_tf.method import METHOD


def main():
    """Runs `python -m n2v_tf.export`."""
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
