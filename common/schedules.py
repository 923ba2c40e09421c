"""Learning rates and exponents over a training, in images shown, as the originals count."""

import math

import keras
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
        return {
            "num_images": self.num_images,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "ramp_up": self.ramp_up,
            "ramp_down": self.ramp_down,
        }
