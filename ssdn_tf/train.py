"""Trains a blind-spot denoiser from noisy images alone.

python -m ssdn_tf.train --run_dir=runs/first                       # sample photographs, minutes
python -m ssdn_tf.train --noise=gauss25 --train_set=bsd300_train --run_dir=runs/gauss25
python -m ssdn_tf.train --noise=none --noise_params=global --train_set=noisy_photos \\
    --run_dir=runs/mine
"""

from common import commands
from ssdn_tf import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
