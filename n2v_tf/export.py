"""Exports a trained denoiser as a SavedModel, for TensorFlow Serving and the like.

python -m n2v_tf.export --run_dir=runs/first --output=models/n2v       # writes models/n2v/1/
python -m n2v_tf.export --run_dir=runs/cells --output=models --format=bioimageio

Of a model that was trained on files, the values are those of the files: counts, not [0, 1].
"""

from common import commands
from n2v_tf.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
