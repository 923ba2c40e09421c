"""Lost pixels. Strings: "bernoulli50", "bernoulli0_95", per cent of the pixels."""

import dataclasses
import typing

from common.noise import base


@dataclasses.dataclass(frozen=True)
class Bernoulli(base.PerCent):
    """With the given probability a pixel, all its channels together, is lost: it becomes 0."""

    NAME: typing.ClassVar[str] = "bernoulli"
    UNIT: typing.ClassVar[str] = "per cent of pixels lost"
    RECOVERED_BY: typing.ClassVar[str] = "kept mean"

    def add(self, clean, level, seed):
        import tensorflow as tf

        return clean * tf.cast(kept_pixels(tf.shape(clean)[:2], level, seed), clean.dtype)


def kept_pixels(shape, probability, seed):
    """Which pixels `Bernoulli.add` keeps under the same seed: (H, W, 1) bool."""
    import tensorflow as tf

    uniform = tf.random.stateless_uniform(tf.concat([shape, [1]], axis=0), seed)
    return uniform >= tf.cast(probability, uniform.dtype)
