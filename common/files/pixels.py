"""Arrays of pixels: value ranges, channels, orientations, sizes.

Inside the house an image is (H, W, C) in the file's own type; `to_unit` scales it to float32 in
[0, 1], `from_unit` back.
"""

import numpy as np
from PIL import Image

from common.files.errors import ImageError


def white_level(dtype, given=0.0):
    """The stored value of 1.0: `given`, or else an integer type's largest, 1 for floats."""
    if given:
        return float(given)
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def to_unit(image, white=0.0):
    """Scales an array to float32 by its `white_level`: uint8 255 -> 1.0. Nothing is clipped."""
    return np.asarray(image, np.float32) * np.float32(1.0 / white_level(image.dtype, white))


def from_unit(image, dtype, white=0.0):
    """Back from [0, 1] to `dtype`: integers are rounded half up and clipped, floats only scaled.

    For uint8 it is clip(value * 255 + 0.5) truncated, the originals' rule: tests/golden/psnr.npz.
    """
    scaled = np.asarray(image) * white_level(dtype, white)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return np.clip(np.floor(scaled + 0.5), limits.min, limits.max).astype(dtype)
    return scaled.astype(dtype)


def to_channels(image, channels):
    """Makes (H, W, C) an image of 1 or 3 channels, as the original does (tests/golden/psnr.npz).

    Alpha is dropped; colour to grey is the mean, rounded half to even for integers; grey is tiled.
    An image that has as many channels as asked for, be it five, comes back as it is.

    Raises:
        ImageError: neither 1, 2, 3 nor 4 channels came.
    """
    if image.shape[-1] == channels:
        return image
    if image.shape[-1] not in (1, 2, 3, 4):
        raise ImageError(f"{image.shape[-1]} channels: expected 1 or 3, with or without alpha.")
    image = image[..., : 3 if image.shape[-1] >= 3 else 1]
    if image.shape[-1] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    mean = image.mean(axis=-1, keepdims=True, dtype=np.float64)
    if np.issubdtype(image.dtype, np.integer):
        mean = np.rint(mean)
    return mean.astype(image.dtype)


# (turns, mirrored) of the 8 ways to lay a picture down.
ORIENTATIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


def orient(array, turns, mirrored, axes=(-3, -2)):
    """A view of (.., H, W, C), turned so often by 90 degrees, then mirrored; or of other axes."""
    array = np.rot90(array, turns, axes)
    return np.flip(array, axes[1]) if mirrored else array


def resize(image, sides, way=Image.BICUBIC):
    """(H, W, C) float -> (*sides, C) float32; widened against aliasing if it shrinks.

    way: of Pillow's, BICUBIC being Keys' (1981) of a = -0.5.
    """
    planes = [
        Image.fromarray(np.asarray(plane, np.float32)).resize(sides[::-1], way)
        for plane in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def scaled(sides, scale):
    """Sides of an enlarged image, or slices of them: the last two, Y and X, are times `scale`."""

    def one(side):
        if isinstance(side, slice):
            return slice(side.start * scale, side.stop * scale)
        return side * scale

    return (*sides[:-2], *map(one, sides[-2:]))
