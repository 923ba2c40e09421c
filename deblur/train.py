"""Trains a network that deblurs, on pairs of images blurred by different random kernels.

python -m deblur.train --run_dir=runs/deblur                       # sample photographs, minutes
python -m deblur.train --config=convolve --train_set=bsd300_train --run_dir=runs/convolve
python -m deblur.train --formulation=log_nodc --train_set=bsd300_train --run_dir=runs/log_nodc
python -m deblur.train --config=convolve-motion --channels=3 --train_set=photos --run_dir=runs/m
"""

import functools

from common import commands
from deblur.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # deblur/configs.py: flags over a named configuration
    images = run.images()  # deblur/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # deblur/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
