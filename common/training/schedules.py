"""Learning rates and exponents over a training, in images shown, as the originals count."""

import math

import keras
import numpy as np
from keras import ops

RAMP_UP = 0.1  # fractions of the training, Laine et al. 2019
RAMP_DOWN = 0.3


def ramped_rate(images, total, peak, ramp_up=RAMP_UP, ramp_down=RAMP_DOWN):
    """Learning rate after `images` of `total`: cosine up, constant, squared cosine down.

    peak * (0.5 - cos(t pi) / 2) in the first `ramp_up` of the training,
    peak * (0.5 + cos(t pi) / 2)^2 in the last `ramp_down`, their product where both hold.
    Exactly 0 at both ends. tests/golden/lr_schedules.npz; works on floats and on tensors.
    """
    rate = peak
    if ramp_up > 0:
        t = _clip(images / (ramp_up * total))
        rate = rate * (0.5 - _cos(t) / 2)
    if ramp_down > 0:
        t = _clip((images - (1.0 - ramp_down) * total) / (ramp_down * total))
        rate = rate * (0.5 + _cos(t) / 2) ** 2
    return rate


def annealed_exponent(images, total):
    """Exponent of the L0 loss: from 2 down to 0.5, which it reaches after 3/4 of the training."""
    exponent = 2.0 - 2.0 * images / total
    return max(0.5, exponent) if isinstance(exponent, float) else ops.maximum(0.5, exponent)


def _is_number(x):
    return isinstance(x, (int, float))


def _clip(t):
    return min(max(t, 0.0), 1.0) if _is_number(t) else ops.clip(t, 0.0, 1.0)


def _cos(t):
    return math.cos(t * math.pi) if _is_number(t) else ops.cos(t * math.pi)


class Ramped(keras.optimizers.schedules.LearningRateSchedule):
    """`ramped_rate` for an optimiser: step k shows images k * batch_size onwards."""

    def __init__(
        self, *, num_images, batch_size, learning_rate, ramp_up=RAMP_UP, ramp_down=RAMP_DOWN
    ):
        self.num_images, self.batch_size = num_images, batch_size
        self.learning_rate = learning_rate
        self.ramp_up, self.ramp_down = ramp_up, ramp_down

    def __call__(self, step):
        images = ops.cast(step, "float32") * float(self.batch_size)
        ramps = self.ramp_up, self.ramp_down
        return ramped_rate(images, float(self.num_images), self.learning_rate, *ramps)

    def get_config(self):
        return vars(self)


def share_over(step, corners):
    """How much of a training is over before a step: a piecewise linear function, on tensors.

    corners: [(step, share), ...], the first (0, 0), the last (steps, 1); Config.share_corners.
    """
    step, over = ops.cast(step, "float32"), 0.0
    for (first, before), (end, after) in zip(corners, corners[1:]):
        over = over + (after - before) * ops.clip((step - first) / (end - first), 0.0, 1.0)
    return over


class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """Linear up over the first `warm_up` of the training, times half a cosine down to 0.

    warm_up: share of the training; corners: see `share_over`.
    """

    def __init__(self, learning_rate, *, warm_up, corners):
        self.learning_rate, self.warm_up, self.corners = learning_rate, warm_up, corners

    def __call__(self, step):
        over = share_over(step, self.corners)
        falling = 0.5 + ops.cos(np.pi * over) / 2
        return self.learning_rate * ops.minimum(over / self.warm_up, 1.0) * falling

    def get_config(self):
        return vars(self)


class Forgetting(keras.optimizers.schedules.LearningRateSchedule):
    """Decay of a moving average for each step, the weight that the average before it keeps.

    While a share `remembered` of the training passes, the weight of what was before falls to 1 / e.
    Counted in steps, an average would forget too slowly where steps have become larger.
    corners: see `share_over`.
    """

    def __init__(self, remembered, *, corners):
        self.remembered, self.corners = remembered, corners

    def __call__(self, step):
        over = share_over(step, self.corners) - share_over(step - 1.0, self.corners)
        return ops.exp(-over / self.remembered)

    def get_config(self):
        return vars(self)


def _part(step, batch_size, num_images, parts):
    """In which of so many equal parts of the training a step lies, from 0, as float32.

    Half an image is added, and no step begins there: rounding must not move it into another part.
    """
    images = ops.cast(step, "float32") * float(batch_size) + 0.5
    return ops.floor(images * (parts / num_images))


class Halved(keras.optimizers.schedules.LearningRateSchedule):
    """Halved `times` times, after equal shares of the training."""

    def __init__(self, *, num_images, batch_size, learning_rate, times):
        self.num_images, self.batch_size = num_images, batch_size
        self.learning_rate, self.times = learning_rate, times

    def __call__(self, step):
        halvings = _part(step, self.batch_size, self.num_images, self.times + 1)
        return self.learning_rate * 0.5 ** ops.minimum(halvings, float(self.times))

    def get_config(self):
        return vars(self)


class ByEpoch(keras.optimizers.schedules.LearningRateSchedule):
    """scale * function(epoch), the training divided into `epochs` of equal length."""

    def __init__(self, function, *, num_images, batch_size, scale=1.0, epochs):
        self.function, self.scale, self.epochs = function, scale, epochs
        self.num_images, self.batch_size = num_images, batch_size

    def __call__(self, step):
        epoch = _part(step, self.batch_size, self.num_images, self.epochs)
        return self.scale * self.function(epoch)

    def get_config(self):
        return vars(self)
