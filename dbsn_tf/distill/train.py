"""Trains a second denoiser on clean images and on noisy ones of other scenes, with a D-BSN.

python -m dbsn_tf.train --noise=gauss25 --train_set=noisy_folder --run_dir=runs/dbsn
python -m dbsn_tf.distill.train --teacher=runs/dbsn --noisy_set=noisy_folder \\
    --train_set=clean_folder --run_dir=runs/distilled

`noise2x train dbsn-distill` is the same command. Clean images get the noise that the D-BSN has
learned of a noisy one; noisy images have what the D-BSN makes of them as targets, and count
--noisy_weight as much. Where the files of --noisy_set are noisy already, --noise=none says so.
"""

import functools

from common import commands
from dbsn_tf.distill.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # dbsn_tf.distill/configs.py: a named configuration, changed by flags
    images = run.images()  # dbsn_tf.distill/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # dbsn_tf.distill/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m dbsn_tf.distill.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
