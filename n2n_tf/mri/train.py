"""Trains a network that reconstructs undersampled MRI slices, from such slices alone.

python -m n2n_tf.mri.train                                # synthetic phantoms, a few minutes
python -m n2n_tf.mri.train --train_set=ixi.h5 --run_dir=runs/ixi   # written by noise2x pack mri
python -m n2n_tf.mri.train --targets=clean

`noise2x train n2n-mri` is the same command. Without --run_dir the model is written to the next
numbered folder in runs/, for instance runs/00003-n2n-mri-spectrum2.5-n2n.
"""

import functools

from common import commands
from n2n_tf.mri.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # n2n_tf/mri/configs.py: a named configuration, changed by flags
    images = run.images()  # n2n_tf/mri/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # n2n_tf/mri/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m n2n_tf.mri.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
