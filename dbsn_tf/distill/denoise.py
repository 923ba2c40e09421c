"""Restores noisy image files with a distilled denoiser.

python -m dbsn_tf.distill.denoise photo.jpg scans/*.tif
python -m dbsn_tf.distill.denoise --run_dir=runs/distilled --output=restored photo.png

`noise2x denoise dbsn-distill` is the same command. Without --run_dir it uses the newest finished
run of dbsn_tf.distill in runs/. photo.jpg becomes photo-denoised.jpg, or in a folder --output
photo.jpg, with the bit depth of the file: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from dbsn_tf.distill.method import METHOD


def main():
    """Runs `python -m dbsn_tf.distill.denoise`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
