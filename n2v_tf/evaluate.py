"""Scores a trained denoiser on clean images with added noise, or on noisy files with references.

python -m n2v_tf.evaluate --output=pictures
python -m n2v_tf.evaluate --run_dir=runs/n2v --dataset=kodak --baselines=all
python -m n2v_tf.evaluate --run_dir=runs/cells --dataset=cells.tif --reference=average.tif

`noise2x evaluate n2v` is the same command. Without --run_dir it scores the newest finished run of
n2v_tf in runs/. The last line is for programs to read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from n2v_tf.method import METHOD


def main():
    """Runs `python -m n2v_tf.evaluate`."""
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
