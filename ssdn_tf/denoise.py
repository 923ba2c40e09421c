"""Restores image files: PNG, JPEG, TIFF (stacks too), NPY; names and bit depth are kept.

python -m ssdn_tf.denoise --run_dir=runs/first --input=photo.png --output=restored
python -m ssdn_tf.denoise --run_dir=runs/mine --input='scans/*.tif' --output=restored --std
"""

from common import commands
from ssdn_tf.method import METHOD


def main():
    commands.denoise(METHOD, __doc__)


if __name__ == "__main__":
    main()
