"""Learning rate and beta_1 over the epochs of the MRI training (tests/golden/lr_schedules.npz)."""

import numpy as np
from keras import ops

from common.training import schedules

EPOCHS = 300
RAMP_UP, RAMP_DOWN = 10, 30  # epochs


def rate(epoch):
    """Factor of the learning rate: exp(-5 (1 - e/10)^2) up, exp(-(e/2)^2 / 30) down at the end.

    epoch: from 0; a float or a tensor. e is the epoch, or how far it is into the last 30.
    """
    xp = _library(epoch)
    left = xp.maximum(1.0 - epoch / RAMP_UP, 0.0)
    return xp.exp(-5.0 * left * left) * _fall(epoch)


def beta_1(epoch):
    """beta_1 of Adam: 0.9, falling to 0.5 with the learning rate."""
    return 0.5 + 0.4 * _fall(epoch)


def _fall(epoch):
    xp = _library(epoch)
    late = xp.maximum(epoch - float(EPOCHS - RAMP_DOWN), 0.0)
    return xp.exp(-(late * late) / 120.0)


def _library(epoch):
    return np if isinstance(epoch, float) else ops  # float64 of floats: Keras would round them


def by_epoch(function, scale, config):
    """scale * function(epoch) as a Keras schedule over the training of a configuration."""
    return schedules.ByEpoch(
        function,
        scale=scale,
        epochs=EPOCHS,
        num_images=config.num_images,
        batch_size=config.batch_size,
    )
