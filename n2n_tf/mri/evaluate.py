"""Scores a trained reconstruction on slices whose spectra it undersamples itself.

python -m n2n_tf.mri.evaluate --output=pictures
python -m n2n_tf.mri.evaluate --run_dir=runs/ixi --baselines=noisy

`noise2x evaluate n2n-mri` is the same command. Without --run_dir it scores the newest finished run
of n2n_tf.mri in runs/. PSNR is that of values clipped to [0, 1], without rounding to 8 bits. The
last line is for programs to read:
RESULT dataset=phantoms noise=spectrum2.5 images=16 psnr=... ssim=...
"""

from common import commands
from n2n_tf.mri.method import METHOD


def main():
    """Runs `python -m n2n_tf.mri.evaluate`."""
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
