"""Trains a blind-spot denoiser (SSDN) from noisy images alone.

python -m ssdn_tf.train                                   # sample photographs, a few minutes
python -m ssdn_tf.train --noise=gauss25 --train_set=bsd300_train --run_dir=runs/gauss25
python -m ssdn_tf.train --noise=none --train_set=noisy_photos --check_only
python -m ssdn_tf.train --noise=none --train_set=noisy_photos

`noise2x train ssdn` is the same command. Without --run_dir the model is written to the next
numbered folder in runs/, for instance runs/00003-ssdn-gauss25-blindspot-sigma_known.
"""

import functools

from common import commands
from ssdn_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # ssdn_tf/configs.py: a named configuration, changed by flags
    images = run.images()  # ssdn_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # ssdn_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m ssdn_tf.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
