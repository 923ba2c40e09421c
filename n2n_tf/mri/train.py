"""Trains a reconstruction of undersampled magnetic resonance images, from such images alone.

python -m n2n_tf.mri.train --run_dir=runs/mri                          # phantoms, minutes
python -m n2n_tf.mri.train --train_set=ixi.h5 --run_dir=runs/ixi       # of make_mri_dataset
python -m n2n_tf.mri.train --targets=clean --run_dir=runs/mri_clean
"""

import functools

from common import commands
from n2n_tf.mri.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # n2n_tf/mri/configs.py: flags over a named configuration
    images = run.images()  # n2n_tf/mri/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # n2n_tf/mri/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
