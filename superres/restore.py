"""Enlarges image files: PNG, JPEG, TIFF (stacks too), NPY; names and bit depth are kept.

python -m superres.restore --run_dir=runs/sr --input=photo.png --output=enlarged
"""

from common import commands
from superres.method import METHOD


def main():
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
