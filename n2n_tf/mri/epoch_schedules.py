"""Learning rate and beta_1 of the MRI training as functions of the epoch.

They are those of the original: tests/golden/lr_schedules.npz.
"""

import numpy as np
from keras import ops

from common.training import schedules

EPOCHS = 300
RAMP_UP, RAMP_DOWN = 10, 30  # epochs


def rate(epoch):
    """Factor of the learning rate, 0 to 1.

    It is exp(-5 (1 - e / 10)^2) in the first 10 epochs, e being the epoch, then 1, and
    exp(-(d / 2)^2 / 30) in the last 30, d being the number of epochs since their beginning.

    epoch: float or tensor, from 0 on.
    """
    xp = _library(epoch)
    left = xp.maximum(1.0 - epoch / RAMP_UP, 0.0)
    return xp.exp(-5.0 * left * left) * _fall(epoch)


def beta_1(epoch):
    """beta_1 of Adam: 0.9; it falls towards 0.5 in the last 30 epochs.

    epoch: float or tensor, from 0 on.
    """
    return 0.5 + 0.4 * _fall(epoch)


def _fall(epoch):
    xp = _library(epoch)
    late = xp.maximum(epoch - float(EPOCHS - RAMP_DOWN), 0.0)
    return xp.exp(-(late * late) / 120.0)


def _library(epoch):
    # NumPy keeps Python's floats in double precision; Keras would round them.
    return np if isinstance(epoch, float) else ops


def by_epoch(function, scale, config):
    """A Keras schedule scale * function(epoch), for the length of a configuration's training.

    Args:
        function: of the epoch, `rate` or `beta_1`.
        scale: factor of its values.
        config: a completed `configs.Config`.
    """
    return schedules.ByEpoch(
        function,
        scale=scale,
        epochs=EPOCHS,
        num_images=config.num_images,
        batch_size=config.batch_size,
    )
