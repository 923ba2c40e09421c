"""Restores noisy image files with a trained RDUNet.

python -m rdunet_tf.denoise photo.jpg scans/*.tif
python -m rdunet_tf.denoise --run_dir=runs/rdunet --output=restored photo.png

`noise2x denoise rdunet` is the same command. Without --run_dir it uses the newest finished run of
rdunet_tf in runs/. photo.jpg becomes photo-denoised.jpg, or in a folder --output photo.jpg, with
the bit depth of the file: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from rdunet_tf.method import METHOD


def main():
    """Runs `python -m rdunet_tf.denoise`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
