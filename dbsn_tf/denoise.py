"""Restores noisy image files with a trained D-BSN.

python -m dbsn_tf.denoise photo.jpg scans/*.tif
python -m dbsn_tf.denoise --run_dir=runs/dbsn --output=restored photo.png

`noise2x denoise dbsn` is the same command. Without --run_dir it uses the newest finished run of
dbsn_tf in runs/. photo.jpg becomes photo-denoised.jpg, or in a folder --output photo.jpg, with the
bit depth of the file: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from dbsn_tf.method import METHOD


def main():
    """Runs `python -m dbsn_tf.denoise`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
