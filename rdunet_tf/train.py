"""Trains RDUNet, a supervised denoiser: noise is added to clean photographs.

python -m rdunet_tf.train --run_dir=runs/first                     # sample photographs, minutes
python -m rdunet_tf.train --train_set=bsd300_train --run_dir=runs/rdunet
python -m rdunet_tf.train --targets=noisy --width=32 --train_set=bsd300_train --run_dir=runs/n2n
"""

import functools

from common import commands
from rdunet_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # rdunet_tf/configs.py: flags over a named configuration
    images = run.images()  # rdunet_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # rdunet_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
