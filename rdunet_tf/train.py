"""Trains RDUNet, a supervised denoiser: noise is added to clean photographs.

python -m rdunet_tf.train --run_dir=runs/first                     # sample photographs, minutes
python -m rdunet_tf.train --train_set=bsd300_train --run_dir=runs/rdunet
python -m rdunet_tf.train --targets=noisy --width=32 --train_set=bsd300_train --run_dir=runs/n2n
"""

from common import commands
from rdunet_tf import denoiser


def main():
    commands.train(denoiser.METHOD, __doc__)


if __name__ == "__main__":
    main()
