"""Noise of developed photographs. Strings: "camera0_55", sigma in grey values of 255."""

import dataclasses
import typing

from common.noise import base

REACH = 3  # of the kernels that neighbours share their noise by, pixels
BLUR = (0.4, 1.2)  # deviation of these kernels, pixels
COARSER = 2.0  # factor of that for the noise of colours, which cameras smooth and JPEG halves


@dataclasses.dataclass(frozen=True)
class Camera(base.Noise):
    """noisy = clean + s(clean) z: noise that grows with the light, and that pixels may share.

    Cameras develop what the sensor gives: pixels get two of their colours from neighbours, the
    colours are mixed, and JPEG files store them coarser. Drawn for every image:

    * s(v)^2 = sigma^2 (1 - g + 2 g v) with g between 0 and 1;
    * in half of the images z is white; in the others a sum of noise that the channels have for
      themselves, that is the same in all of them, and of colours alone, of random shares and
      blurred by a Gaussian whose deviation is 0.4 to 1.2 pixels, twice that for the colours.

    The variance of z is 1. A model of our own, for the mixtures of Poisson, Gaussian and shared
    noise that real pictures have.
    """

    NAME: typing.ClassVar[str] = "camera"
    UNIT: typing.ClassVar[str] = "sigma in 8-bit units"
    SCALE: typing.ClassVar[float] = 255.0
    CLIPPABLE: typing.ClassVar[bool] = True
    TYPICAL: typing.ClassVar[float] = 15.0

    def add(self, clean, level, seed):
        import tensorflow as tf

        fold = tf.random.experimental.stateless_fold_in
        drawn = tf.random.stateless_uniform((6,), fold(seed, 1), dtype=clean.dtype)
        grows, is_shared, blur, shares = drawn[0], drawn[1] < 0.5, drawn[2], drawn[3:]
        blur = BLUR[0] + (BLUR[1] - BLUR[0]) * blur

        def white():
            return tf.random.stateless_normal(tf.shape(clean), seed, dtype=clean.dtype)

        def shared():
            own, same = _field(clean, fold(seed, 2)), _field(clean[..., :1], fold(seed, 3))
            parts = [_blurred(own, blur), _blurred(same, blur)]
            if (channels := clean.shape[-1]) > 1:
                colour = _blurred(_field(clean, fold(seed, 4)), COARSER * blur)
                colour -= tf.reduce_mean(colour, axis=-1, keepdims=True)
                parts.append(colour * (channels / (channels - 1)) ** 0.5)
            used = shares[: len(parts)]
            weights = tf.unstack(tf.sqrt(used / tf.reduce_sum(used)))
            return sum(weight * part for weight, part in zip(weights, parts, strict=True))

        variance = 1 - grows + 2 * grows * clean
        return clean + level * tf.sqrt(tf.maximum(variance, 0.0)) * tf.cond(
            is_shared, shared, white
        )


def _field(clean, seed):
    """White noise of unit variance, wider than an image by what its blur needs."""
    import tensorflow as tf

    height, width, channels = tf.unstack(tf.shape(clean))
    shape = (height + 2 * REACH, width + 2 * REACH, channels)
    return tf.random.stateless_normal(shape, seed, dtype=clean.dtype)


def _blurred(field, deviation):
    """A field blurred by a Gaussian, narrower by REACH on all sides; its variance stays 1."""
    import tensorflow as tf

    channels = field.shape[-1]
    taps = tf.exp(-0.5 * (tf.range(-REACH, REACH + 1, dtype=field.dtype) / deviation) ** 2)
    taps *= tf.math.rsqrt(tf.reduce_sum(taps**2))
    for shape in ((-1, 1, 1, 1), (1, -1, 1, 1)):
        kernel = tf.tile(tf.reshape(taps, shape), (1, 1, channels, 1))
        field = tf.nn.depthwise_conv2d(field[None], kernel, (1, 1, 1, 1), "VALID")[0]
    return field
