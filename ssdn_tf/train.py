"""Trains a blind-spot denoiser from noisy images alone.

python -m ssdn_tf.train --run_dir=runs/first                       # sample photographs, minutes
python -m ssdn_tf.train --noise=gauss25 --train_set=bsd300_train --run_dir=runs/gauss25
python -m ssdn_tf.train --noise=none --noise_params=global --train_set=noisy_photos \\
    --run_dir=runs/mine
"""

import functools

from common import commands
from ssdn_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # ssdn_tf/configs.py: flags over a named configuration
    images = run.images()  # ssdn_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # ssdn_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
