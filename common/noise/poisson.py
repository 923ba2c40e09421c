"""Photon noise. Strings: "poisson30", "poisson5_50", lambda: photons of a pixel of value 1."""

import dataclasses
import typing

from common.noise import base


@dataclasses.dataclass(frozen=True)
class Poisson(base.Noise):
    """noisy ~ Poisson(lambda * clean) / lambda: mean clean, variance clean / lambda.

    Clean values below 0 count as 0.
    """

    NAME: typing.ClassVar[str] = "poisson"
    UNIT: typing.ClassVar[str] = "lambda"
    CLIPPABLE: typing.ClassVar[bool] = True
    TYPICAL: typing.ClassVar[float] = 30.0

    def __post_init__(self):
        super().__post_init__()
        if self.high == 0:
            raise ValueError(f"noise='{self}': lambda must be positive.")

    def deviation(self, level):
        return (0.5 / level) ** 0.5

    def variance(self, clean, level):
        return clean / level

    def add(self, clean, level, seed):
        import tensorflow as tf

        rate = tf.maximum(clean, 0.0) * level
        counts = tf.random.stateless_poisson(tf.shape(clean), seed, rate, dtype=clean.dtype)
        return tf.math.divide_no_nan(counts, level)
