"""Random-valued impulse noise. Strings: "impulse50", "impulse0_100", per cent of the pixels."""

import dataclasses
import typing

from common.noise import base


@dataclasses.dataclass(frozen=True)
class Impulse(base.PerCent):
    """With probability alpha a pixel, all its channels together, is replaced.

    The new values are uniform on [0, 1], drawn for each channel.
    """

    NAME: typing.ClassVar[str] = "impulse"
    UNIT: typing.ClassVar[str] = "per cent of pixels"
    RECOVERED_BY: typing.ClassVar[str] = "mode"

    def describe_estimate(self, noise_std):
        return f"share of replaced pixels: {100 * noise_std * 2.55:.1f} %"

    def add(self, clean, level, seed):
        import tensorflow as tf

        seeds = tf.random.split(seed, 2)
        shape = tf.shape(clean)
        mask_shape = tf.concat([shape[:-1], [1]], axis=0)
        keep = tf.random.stateless_uniform(mask_shape, seeds[0], dtype=clean.dtype) >= level
        replacement = tf.random.stateless_uniform(shape, seeds[1], dtype=clean.dtype)
        return tf.where(keep, clean, replacement)
