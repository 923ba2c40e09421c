"""Deblurs image files with a trained network.

python -m deblur.restore photo.jpg scans/*.tif
python -m deblur.restore --run_dir=runs/convolve --output=restored photo.png

`noise2x denoise deblur` is the same command. Without --run_dir it uses the newest finished run of
deblur in runs/. The results go to the folder --output, under the names and with the bit depth of
the input files: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from deblur.method import METHOD


def main():
    """Runs `python -m deblur.restore`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
