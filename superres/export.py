"""Exports a trained model as a SavedModel that enlarges, for TensorFlow Serving and the like.

python -m superres.export --run_dir=runs/sr --output=models/superres     # models/superres/1/
"""

from common import commands
from superres.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
