"""Trains super-resolution on images that are shrunk and enlarged again, with noisy targets.

python -m superres.train --run_dir=runs/sr                           # sample photographs, minutes
python -m superres.train --scale=3 --train_set=bsd300_train --run_dir=runs/sr3
python -m superres.train --config=single_image --train_set=photo.png --run_dir=runs/photo
python -m superres.train --config=bicubic-n2v --train_set=bsd300_train --run_dir=runs/report
"""

import functools

from common import commands
from superres.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # superres/configs.py: flags over a named configuration
    images = run.images()  # superres/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # superres/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
