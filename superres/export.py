"""Exports a trained model as a SavedModel that enlarges, for TensorFlow Serving and the like.

python -m superres.export --run_dir=runs/sr --output=models/superres     # models/superres/1/
"""

from common import commands
from superres import denoiser


def main():
    commands.export(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
