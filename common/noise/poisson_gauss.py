"""Photons and read-out. Strings: "poissongauss30+5": lambda 30, Gaussian of sigma 5 (of 255)."""

import dataclasses
import typing

from common.noise import base


@dataclasses.dataclass(frozen=True)
class PoissonGauss(base.Noise):
    """noisy ~ Poisson(lambda * clean) / lambda + N(0, read^2): what cameras and microscopes give.

    The variance grows with the clean value: clean / lambda + read^2, "heteroscedastic" noise.

    Attributes:
        read: sigma of the Gaussian part, in grey values of 255.
    """

    read: float = 0.0

    NAME: typing.ClassVar[str] = "poissongauss"
    UNIT: typing.ClassVar[str] = "lambda"
    CLIPPABLE: typing.ClassVar[bool] = True
    TYPICAL: typing.ClassVar[float] = 30.0
    HAS_READ: typing.ClassVar[bool] = True

    def __post_init__(self):
        super().__post_init__()
        if self.high == 0:
            raise ValueError(f"noise='{self}': lambda must be positive.")

    def _levels(self):
        return f"{super()._levels()}+{base.digits(self.read)}"

    def deviation(self, level):
        return self.variance(0.5, level) ** 0.5

    def variance(self, clean, level):
        return clean / level + (self.read / 255.0) ** 2

    def add(self, clean, level, seed):
        import tensorflow as tf

        rate = tf.maximum(clean, 0.0) * level
        counts = tf.random.stateless_poisson(tf.shape(clean), seed, rate, dtype=clean.dtype)
        other = tf.random.experimental.stateless_fold_in(seed, 1)
        normal = tf.random.stateless_normal(tf.shape(clean), other, dtype=clean.dtype)
        return tf.math.divide_no_nan(counts, level) + self.read / 255.0 * normal
