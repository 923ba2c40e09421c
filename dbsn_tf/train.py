"""Trains D-BSN, a blind-spot network that also tells the noise, on noisy images alone.

python -m dbsn_tf.train                                   # sample photographs, some minutes
python -m dbsn_tf.train --noise=gauss25 --train_set=bsd300_train --run_dir=runs/dbsn
python -m dbsn_tf.train --stage=mu --train_set=bsd300_train --run_dir=runs/dbsn
python -m dbsn_tf.train --stage=all --run_dir=runs/dbsn --resume

`noise2x train dbsn` is the same command. Without --run_dir the model is written to the next
numbered folder in runs/, for instance runs/00003-dbsn-gauss25-white-mono. The training has three
stages: the mean, then the variances of its error and of the noise, then all together; --stage
stops behind one of them.
"""

import functools

from common import commands
from dbsn_tf.method import METHOD


def train(run: commands.TrainingRun) -> None:
    """Makes images, batches and a denoiser from the configuration, and fits the denoiser."""
    config = run.config  # dbsn_tf/configs.py: a named configuration, changed by flags
    images = run.images()  # common/method.py: training_images
    batches = functools.partial(METHOD.batches, images, config)
    denoiser = METHOD.build(config, images)  # dbsn_tf/denoiser.py: network and loss
    run.fit(denoiser, METHOD.optimizer(config), batches, images)  # TrainingRun, then loop.fit


def main():
    """Runs `python -m dbsn_tf.train`."""
    commands.train(METHOD, __doc__, train)


if __name__ == "__main__":
    main()
