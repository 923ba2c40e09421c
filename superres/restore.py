"""Enlarges image files with a trained super-resolution network.

python -m superres.restore photo.jpg scans/*.tif
python -m superres.restore --run_dir=runs/x3 --output=enlarged photo.png

`noise2x denoise superres` is the same command. Without --run_dir it uses the newest finished run of
superres in runs/. The results go to the folder --output, under the names and with the bit depth of
the input files: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from superres.method import METHOD


def main():
    """Runs `python -m superres.restore`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
