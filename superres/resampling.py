"""Enlarging images: what super-resolution starts from, and is compared with. keras.ops alone."""

import math

from keras import ops

REACH = {"bicubic": 2, "lanczos3": 3}  # pixels of the small image to each side


def enlarge(images, scale, *, interpolation="bicubic"):
    """(N, H, W, C) float -> (N, scale H, scale W, C).

    By gathering rows and columns: Keras' own resizing wants sizes that are known before the graph
    runs. Taps beyond the edge are left out and the others weigh more, as in Pillow and TensorFlow.
    Values may overshoot the range of the image a little.

    Args:
        images: of any size.
        scale: 1, 2, 3, ...
        interpolation: "bicubic", Keys' of a = -0.5, or "lanczos3".
    """
    weigh, reach = {"bicubic": _keys, "lanczos3": _lanczos}[interpolation], REACH[interpolation]
    for axis in (1, 2):
        side = ops.shape(images)[axis]
        # Pixels are squares: the middle of enlarged one i lies at (i + 0.5) / scale - 0.5, which is
        # a whole number and a fraction; apart, for single precision would round their sum.
        middle = 2 * ops.arange(side * scale, dtype="int32") + 1 - scale
        first = middle // (2 * scale) - reach + 1
        fraction = ops.cast(middle % (2 * scale), "float32") / (2.0 * scale)
        total, enlarged = 0.0, 0.0
        for tap in range(2 * reach):
            place = first + tap
            weight = weigh(fraction + float(reach - 1 - tap))
            weight = ops.where((place >= 0) & (place < side), weight, 0.0)
            total = total + weight
            values = ops.take(images, ops.clip(place, 0, side - 1), axis=axis)
            enlarged = enlarged + values * _along(weight, axis)
        images = enlarged / _along(total, axis)
    return images


def _along(values, axis):
    return ops.reshape(values, [-1 if i == axis else 1 for i in range(4)])


def _keys(x):
    """Cubic convolution (Keys 1981), a = -0.5."""
    x = ops.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return ops.where(x < 1.0, near, ops.where(x < 2.0, far, 0.0))


def _lanczos(x):
    """sinc(x) sinc(x / 3), 0 beyond 3."""
    angle = math.pi * ops.maximum(ops.abs(x), 1e-6)
    values = 3.0 * ops.sin(angle) * ops.sin(angle / 3.0) / (angle * angle)
    return ops.where(angle < 3.0 * math.pi, values, 0.0)
