"""Bicubic enlarging as a Keras model, whose result super-resolution restores."""

import keras
import numpy as np
from keras import ops

REACH = 2  # pixels of the small image that an enlarged pixel sees to each side


def build_enlarger(channels, scale):
    """Builds a model that enlarges (N, H, W, channels) to (N, scale H, scale W, channels), float32.

    It consists of transposed convolutions, because Keras' own resizing needs sizes that are known
    before the graph runs. As in Pillow, taps beyond the edge are left out and the others get more
    weight. Values may slightly exceed the range of the image.

    Args:
        channels: channels of the images.
        scale: 1, 2, 3, ...
    """
    small = keras.Input((None, None, channels), name="small")
    # An additional channel of ones sums the weights of the taps at each pixel.
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
    """Weights of a small pixel in the enlarged pixels around it, along one side: (n,).

    Cubic convolution (Keys 1981) with a = -0.5. Pixels are squares: for an even scale no enlarged
    pixel has its centre at the centre of a small one.
    """
    count = 2 * REACH * scale - scale % 2
    x = np.abs(np.arange(count) - (count - 1) / 2) / scale
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, far)
