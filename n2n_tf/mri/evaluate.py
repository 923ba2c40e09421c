"""Scores a trained reconstruction on slices whose spectra it samples; PSNR on values within [0, 1].

python -m n2n_tf.mri.evaluate --run_dir=runs/mri --baselines=noisy --output=pictures

Ends with a line that programs can read:
RESULT dataset=phantoms noise=spectrum2.5 images=16 psnr=... ssim=...
"""

from common import commands
from n2n_tf.mri.method import METHOD


def main():
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
