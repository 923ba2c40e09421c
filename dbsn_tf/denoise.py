"""Restores noisy image files with a trained D-BSN.

python -m dbsn_tf.denoise photo.jpg scans/*.tif
python -m dbsn_tf.denoise --run_dir=runs/dbsn --output=restored photo.png

`noise2x denoise dbsn` is the same command. Without --run_dir it uses the newest finished run of
dbsn_tf in runs/. The results go to the folder --output, under the names and with the bit depth of
the input files: PNG, JPEG, TIFF (stacks too), NPY.
"""

from common import commands
from dbsn_tf.method import METHOD


def main():
    """Runs `python -m dbsn_tf.denoise`."""
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
