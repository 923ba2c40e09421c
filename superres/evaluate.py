"""Scores super-resolution on images that are shrunk and enlarged again.

python -m superres.evaluate --run_dir=runs/sr --output=pictures
python -m superres.evaluate --run_dir=runs/sr --dataset=set12 --baselines=all

Ends with a line that programs can read:
RESULT dataset=set12 scale=2 noise=gauss0 images=12 psnr=... ssim=...
"""

from common import commands
from superres.method import METHOD


def main():
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
