"""Scores a trained denoiser on images whose clean versions are known.

python -m rdunet_tf.evaluate --output=pictures
python -m rdunet_tf.evaluate --run_dir=runs/rdunet --dataset=kodak --baselines=all

`noise2x evaluate rdunet` is the same command. Without --run_dir it scores the newest finished run
of rdunet_tf in runs/. The last line is for programs to read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from rdunet_tf.method import METHOD


def main():
    """Runs `python -m rdunet_tf.evaluate`."""
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
