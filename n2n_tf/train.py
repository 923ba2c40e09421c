"""Trains a denoiser on pairs of noisy images (Noise2Noise), or on clean targets beside it.

python -m n2n_tf.train --run_dir=runs/first                        # sample photographs, minutes
python -m n2n_tf.train --config=gaussian-n2n --train_set=bsd300_train --run_dir=runs/gaussian
python -m n2n_tf.train --noise=text0_50 --train_set=photos --run_dir=runs/text
python -m n2n_tf.train --pairs=acquisitions --channels=1 --run_dir=runs/mine
"""

import functools

from common import commands
from n2n_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # n2n_tf/configs.py: flags over a named configuration
    images = run.images()  # n2n_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # n2n_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
