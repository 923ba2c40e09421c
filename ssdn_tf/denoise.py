"""Restores noisy image files with a trained blind-spot network.

python -m ssdn_tf.denoise photo.jpg scans/*.tif
python -m ssdn_tf.denoise --run_dir=runs/gauss25 --std --output=restored photo.png

`noise2x denoise ssdn` is the same command. Without --run_dir it uses the newest finished run of
ssdn_tf in runs/. photo.jpg becomes photo-denoised.jpg, or in a folder --output photo.jpg, with the
bit depth of the file: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from ssdn_tf.method import METHOD


def main():
    """Runs `python -m ssdn_tf.denoise`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
