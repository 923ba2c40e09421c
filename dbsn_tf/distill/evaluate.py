"""Scores a trained denoiser on images whose clean versions are known.

python -m dbsn_tf.distill.evaluate --output=pictures
python -m dbsn_tf.distill.evaluate --run_dir=runs/distilled --dataset=kodak --baselines=all

`noise2x evaluate dbsn-distill` is the same command. Without --run_dir it scores the newest finished
run of dbsn_tf.distill in runs/. The last line is for programs to read:
RESULT dataset=kodak noise=gauss25 images=24 psnr=... ssim=...
"""

from common import commands
from dbsn_tf.distill.method import METHOD


def main():
    """Runs `python -m dbsn_tf.distill.evaluate`."""
    commands.evaluate(METHOD, __doc__)


if __name__ == "__main__":
    main()
