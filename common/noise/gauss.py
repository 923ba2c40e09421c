"""White Gaussian noise. Strings: "gauss25", "gauss5_50", sigma in grey values of 255."""

import dataclasses
import typing

import numpy as np

from common.noise import base


@dataclasses.dataclass(frozen=True)
class Gauss(base.Noise):
    """noisy = clean + sigma * n, n ~ N(0, 1) per pixel and channel; sigma on [0, 1]."""

    NAME: typing.ClassVar[str] = "gauss"
    UNIT: typing.ClassVar[str] = "sigma in 8-bit units"
    SCALE: typing.ClassVar[float] = 255.0
    CLIPPABLE: typing.ClassVar[bool] = True
    TYPICAL: typing.ClassVar[float] = 25.0

    def variance(self, clean, level):
        return np.full_like(clean, level**2)

    def add(self, clean, level, seed):
        import tensorflow as tf

        return clean + level * tf.random.stateless_normal(tf.shape(clean), seed, dtype=clean.dtype)
