"""Scores a trained denoiser on images with known clean versions.

python -m n2n_tf.evaluate --run_dir=runs/first --output=pictures
python -m n2n_tf.evaluate --run_dir=runs/gaussian --dataset=kodak --baselines=all

Ends with a line that programs can read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from n2n_tf.method import METHOD


def main():
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
