"""Trains a denoiser on single noisy images, even on the one file to restore (Noise2Void).

python -m n2v_tf.train                                    # sample photographs, a few minutes
python -m n2v_tf.train --data_path=cells.tif --check_only         # report on the data, and stop
python -m n2v_tf.train --data_path=cells.tif --epochs=15 --steps_per_epoch=100 --run_dir=runs/cells
python -m n2v_tf.train --config=n2v2 --data_path=movies --dims=TYX --run_dir=runs/movies
python -m n2v_tf.train --data_path=volume.tif --dims=ZYX

`noise2x train n2v` is the same command. Without --run_dir the model is written to the next numbered
folder in runs/, for instance runs/00003-n2v-gauss25.
"""

import functools

from common import commands
from n2v_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # n2v_tf/configs.py: a named configuration, changed by flags
    images = run.images()  # n2v_tf/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # n2v_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m n2v_tf.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
