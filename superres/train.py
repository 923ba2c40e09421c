"""Trains super-resolution on images that are shrunk and enlarged again.

python -m superres.train                                  # sample photographs, a few minutes
python -m superres.train --scale=3 --train_set=bsd300_train --run_dir=runs/x3
python -m superres.train --config=single_image --train_set=photo.png
python -m superres.train --config=bicubic-n2v --train_set=bsd300_train

`noise2x train superres` is the same command. Without --run_dir the model is written to the next
numbered folder in runs/, for instance runs/00003-superres-x2-noisy_hr.
"""

import functools

from common import commands
from superres.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # superres/configs.py: a named configuration, changed by flags
    images = run.images()  # superres/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # superres/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m superres.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
