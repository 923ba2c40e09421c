"""Scores a trained denoiser on images whose clean versions are known.

python -m ssdn_tf.evaluate --output=pictures
python -m ssdn_tf.evaluate --run_dir=runs/gauss25 --dataset=kodak --baselines=all

`noise2x evaluate ssdn` is the same command. Without --run_dir it scores the newest finished run of
ssdn_tf in runs/. The last line is for programs to read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from ssdn_tf.method import METHOD


def main():
    """Runs `python -m ssdn_tf.evaluate`."""
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
