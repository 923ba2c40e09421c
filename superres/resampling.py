"""Bicubic enlarging as a model: what super-resolution starts from."""

import keras
import numpy as np
from keras import ops

REACH = 2  # pixels of the small image that an enlarged one sees to each side


def build_enlarger(channels, scale):
    """A model of (N, H, W, channels) float32 -> (N, scale H, scale W, channels).

    By transposed convolutions: Keras' own resizing wants sizes that are known before the graph
    runs. Taps beyond the edge are left out and the others weigh more, as in Pillow. Values may
    overshoot the range of the image a little.

    Args:
        channels: of the images.
        scale: 1, 2, 3, ...
    """
    small = keras.Input((None, None, channels), name="small")
    # Ones beside the channels add up what the taps weigh at each pixel.
    x = ops.concatenate([small, ops.ones_like(small[..., :1])], axis=-1)
    taps = _taps(scale)
    for axis, name in enumerate("yx"):
        sides, strides = [1, 1], [1, 1]
        sides[axis], strides[axis] = len(taps), scale
        spread = keras.layers.Conv2DTranspose(
            channels + 1, sides, strides, "same", use_bias=False, trainable=False, name=name
        )
        x = spread(x)
        spread.set_weights([taps.reshape(*sides, 1, 1) * np.eye(channels + 1)])
    return keras.Model(small, x[..., :-1] / x[..., -1:], name="enlarger")


def _taps(scale):
    """What a small pixel adds to the enlarged ones around it, along one side: (n,).

    Cubic convolution (Keys 1981) with a = -0.5.
    Pixels are squares: for even scales the middle of no enlarged one is that of a small one.
    """
    count = 2 * REACH * scale - scale % 2
    x = np.abs(np.arange(count) - (count - 1) / 2) / scale
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, far)
