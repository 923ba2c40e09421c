"""Scores a trained denoiser on images with known clean versions.

python -m rdunet_tf.evaluate --run_dir=runs/first --output=pictures
python -m rdunet_tf.evaluate --run_dir=runs/rdunet --dataset=kodak --baselines=all

Ends with a line that programs can read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from rdunet_tf.method import METHOD


def main():
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
