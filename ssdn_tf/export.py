"""Exports a trained denoiser as a SavedModel, for TensorFlow Serving and the like.

python -m ssdn_tf.export --run_dir=runs/first --output=models/ssdn      # writes models/ssdn/1/
"""

from common import commands
from ssdn_tf.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
