"""Trains RDUNet, a supervised denoiser, on clean photographs to which noise is added.

python -m rdunet_tf.train                                 # sample photographs, a few minutes
python -m rdunet_tf.train --train_set=bsd300_train --run_dir=runs/rdunet
python -m rdunet_tf.train --targets=noisy --width=32 --train_set=bsd300_train

`noise2x train rdunet` is the same command. Without --run_dir the model is written to the next
numbered folder in runs/, for instance runs/00003-rdunet-gauss0_50-width128.
"""

import functools

from common import commands
from rdunet_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # rdunet_tf/configs.py: a named configuration, changed by flags
    images = run.images()  # rdunet_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # rdunet_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m rdunet_tf.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
