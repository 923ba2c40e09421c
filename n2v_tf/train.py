"""Trains a denoiser on pairs of noisy images (Noise2Void), or on clean targets beside it.

python -m n2v_tf.train --run_dir=runs/first                        # sample photographs, minutes
python -m n2v_tf.train --config=gaussian-n2n --train_set=bsd300_train --run_dir=runs/gaussian
python -m n2v_tf.train --noise=text0_50 --train_set=photos --run_dir=runs/text
python -m n2v_tf.train --pairs=acquisitions --channels=1 --run_dir=runs/mine
"""

from common import commands
from n2v_tf import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
