"""Gaussian noise that channels share. Strings: "multigauss25", sigma in grey values of 255."""

import dataclasses
import typing

from common.noise import base


@dataclasses.dataclass(frozen=True)
class MultiGauss(base.Noise):
    """noisy = clean + L n, n ~ N(0, I) per pixel: one covariance L L^T of the channels an image.

    L is drawn for every image, normal and scaled so that the average variance of the channels is
    sigma^2. White in space, as the multivariate Gaussian noise of Wu et al. 2020.
    """

    NAME: typing.ClassVar[str] = "multigauss"
    UNIT: typing.ClassVar[str] = "sigma in 8-bit units"
    SCALE: typing.ClassVar[float] = 255.0
    CLIPPABLE: typing.ClassVar[bool] = True
    TYPICAL: typing.ClassVar[float] = 25.0

    def root(self, channels, level, seed):
        """L of an image, (channels, channels) float32; seed: of the image."""
        import tensorflow as tf

        own = tf.random.experimental.stateless_fold_in(seed, 1)
        drawn = tf.random.stateless_normal((channels, channels), own)
        return level * drawn * tf.math.rsqrt(tf.reduce_sum(drawn**2) / channels)

    def add(self, clean, level, seed):
        import tensorflow as tf

        root = tf.cast(self.root(clean.shape[-1], tf.cast(level, tf.float32), seed), clean.dtype)
        white = tf.random.stateless_normal(tf.shape(clean), seed, dtype=clean.dtype)
        return clean + tf.einsum("...c,dc->...d", white, root)
