"""Scores super-resolution on images that it shrinks and enlarges itself.

python -m superres.evaluate --output=pictures
python -m superres.evaluate --run_dir=runs/x3 --dataset=set12 --baselines=all

`noise2x evaluate superres` is the same command. Without --run_dir it scores the newest finished run
of superres in runs/. The last line is for programs to read:
RESULT dataset=set12 scale=2 noise=gauss0 images=12 psnr=... ssim=...
"""

from common import commands
from superres.method import METHOD


def main():
    """Runs `python -m superres.evaluate`."""
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
