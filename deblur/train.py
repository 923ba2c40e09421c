"""Trains a network that deblurs, on pairs of images blurred by different random kernels.

python -m deblur.train                                    # sample photographs, a few minutes
python -m deblur.train --config=convolve --train_set=bsd300_train --run_dir=runs/convolve
python -m deblur.train --formulation=log_nodc --train_set=bsd300_train
python -m deblur.train --config=convolve-motion --channels=3 --train_set=photos

`noise2x train deblur` is the same command. Without --run_dir the model is written to the next
numbered folder in runs/, for instance runs/00003-deblur-convolve-dirac1-mono.
"""

import functools

from common import commands
from deblur.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # deblur/configs.py: a named configuration, changed by flags
    images = run.images()  # deblur/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # deblur/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m deblur.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
