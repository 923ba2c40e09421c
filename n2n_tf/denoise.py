"""Restores noisy image files with a trained Noise2Noise network.

python -m n2n_tf.denoise photo.jpg scans/*.tif
python -m n2n_tf.denoise --run_dir=runs/gaussian --output=restored photo.png

`noise2x denoise n2n` is the same command. Without --run_dir it uses the newest finished run of
n2n_tf in runs/. photo.jpg becomes photo-denoised.jpg, or in a folder --output photo.jpg, with the
bit depth of the file: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from n2n_tf.method import METHOD


def main():
    """Runs `python -m n2n_tf.denoise`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
