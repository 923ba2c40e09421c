"""Trains a denoiser on pairs of noisy images (Noise2Noise), or on clean targets.

python -m n2n_tf.train                                    # sample photographs, a few minutes
python -m n2n_tf.train --config=gaussian-n2n --train_set=bsd300_train --run_dir=runs/gaussian
python -m n2n_tf.train --noise=text0_50 --train_set=photos
python -m n2n_tf.train --pairs=acquisitions --channels=1 --run_dir=runs/pairs

`noise2x train n2n` is the same command. Without --run_dir the model is written to the next numbered
folder in runs/, for instance runs/00003-n2n-gauss0_50-n2n.
"""

import functools

from common import commands
from n2n_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # n2n_tf/configs.py: a named configuration, changed by flags
    images = run.images()  # n2n_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # n2n_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m n2n_tf.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
