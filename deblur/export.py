"""Exports a trained network as a SavedModel, for TensorFlow Serving and the like.

python -m deblur.export --run_dir=runs/deblur --output=models/deblur     # writes models/deblur/1/
"""

from common import commands
from deblur.method import METHOD


def main():
    commands.export(METHOD, __doc__)


if __name__ == "__main__":
    main()
