"""Trains a denoiser on single noisy images, or on the one file that is to be restored (Noise2Void).

python -m n2v_tf.train --run_dir=runs/first                        # sample photographs, minutes
python -m n2v_tf.train --data_path=cells.tif --check_only          # a look at the data, no training
python -m n2v_tf.train --data_path=cells.tif --epochs=15 --steps_per_epoch=100 --run_dir=runs/cells
python -m n2v_tf.train --config=n2v2 --data_path=movies --dims=TYX --run_dir=runs/movies
python -m n2v_tf.train --data_path=volume.tif --dims=ZYX --run_dir=runs/volume
"""

import functools

from common import commands
from n2v_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Configuration, images, batches, denoiser, fit."""
    config = run.config  # n2v_tf/configs.py: flags over a named configuration
    images = run.images()  # n2v_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # n2v_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # common/training/loop.py


def main():
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
