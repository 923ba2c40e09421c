"""Scores a trained denoiser on images with known clean versions, or on noisy files with averages.

python -m n2v_tf.evaluate --run_dir=runs/first --output=pictures
python -m n2v_tf.evaluate --run_dir=runs/gaussian --dataset=kodak --baselines=all
python -m n2v_tf.evaluate --run_dir=runs/cells --dataset=cells.tif --reference=average.tif

Ends with a line that programs can read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from n2v_tf.method import METHOD


def main():
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
