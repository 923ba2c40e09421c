"""Deblurs image files: PNG, JPEG, TIFF (stacks too), NPY; names and bit depth are kept.

python -m deblur.restore --run_dir=runs/deblur --input=photo.png --output=restored
"""

from common import commands
from deblur.method import METHOD


def main():
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
