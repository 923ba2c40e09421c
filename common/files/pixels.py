"""Arrays of pixels: value ranges, channels, orientations, sizes.

Images are (H, W, C) in the file's own type; `to_unit` scales them to float32 in [0, 1], `from_unit`
back.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence

import numpy as np
from PIL import Image

from common.files.errors import ImageError

MAX_FLOAT = 4.0  # largest float that is taken for a value on [0, 1]; noise goes beyond 1
MIDDLE_SIDE, MIDDLE_PAGES = 256, 16  # pixels and pages that `centre` keeps

Side = typing.TypeVar("Side", int, slice)


def white_level(dtype: np.typing.DTypeLike, known: float = 0.0) -> float:
    """The stored value that stands for 1.0.

    Args:
        dtype: type of the stored values.
        known: the white level, if it is known; 0 for the largest value of an integer type, and 1
            for floats.
    """
    if known:
        return float(known)
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def to_unit(image: np.ndarray, white: float = 0.0) -> np.ndarray:
    """Divide an array by its `white_level`: uint8 255 -> float32 1.0. Nothing is clipped."""
    return np.asarray(image, np.float32) * np.float32(1.0 / white_level(image.dtype, white))


def from_unit(
    image: np.typing.ArrayLike, dtype: np.typing.DTypeLike, white: float = 0.0
) -> np.ndarray:
    """Scale values from [0, 1] to `dtype`; integers are rounded half up and clipped.

    For uint8 this is the originals' rule, clip(value * 255 + 0.5) truncated: tests/golden/psnr.npz.
    """
    scaled = np.asarray(image) * white_level(dtype, white)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return np.clip(np.floor(scaled + 0.5), limits.min, limits.max).astype(dtype)
    return scaled.astype(dtype)


# Weights of red, green and blue in the luminance of BT.601, which Matlab's rgb2gray has.
LUMINANCE = (0.299, 0.587, 0.114)


def to_channels(image: np.ndarray, channels: int, grey: str = "mean") -> np.ndarray:
    """Convert (H, W, C) to 1 or 3 channels, as the original does (tests/golden/psnr.npz).

    Alpha is dropped. Colour becomes grey by the mean, as in Laine et al. 2019, or with
    grey="luminance" by LUMINANCE, rounded half to even for integers; grey is repeated. An image
    that has `channels` channels already, even five, is returned as it is.

    Raises:
        ImageError: the image has another number of channels, and more than 4.
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
    if grey == "mean":
        mixed = image.mean(axis=-1, keepdims=True, dtype=np.float64)
    else:
        mixed = image.astype(np.float64) @ np.asarray(LUMINANCE)[:, None]
    if np.issubdtype(image.dtype, np.integer):
        mixed = np.rint(mixed)
    return mixed.astype(image.dtype)


# (turns, mirrored) of the 8 orientations of a picture.
ORIENTATIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


def orient(
    array: np.ndarray, turns: int, mirrored: bool, axes: tuple[int, int] = (-3, -2)
) -> np.ndarray:
    """A view of (..., H, W, C), turned `turns` times by 90 degrees, then mirrored if `mirrored`.

    axes: the two axes that are turned; the second one is mirrored.
    """
    array = np.rot90(array, turns, axes)
    return np.flip(array, axes[1]) if mirrored else array


def centre(image: np.ndarray, side: int = MIDDLE_SIDE) -> np.ndarray:
    """Cut out the middle of (H, W, C) or (D, H, W, C).

    No side is then longer than `side` pixels, and a volume has no more than MIDDLE_PAGES pages.
    """
    limits = (side, side) if image.ndim == 3 else (MIDDLE_PAGES, side, side)
    starts = [max(0, (n - limit) // 2) for n, limit in zip(image.shape, limits)]
    return image[tuple(slice(a, a + limit) for a, limit in zip(starts, limits))]


def resize(
    image: np.ndarray, sides: Sequence[int], way: int = Image.Resampling.BICUBIC
) -> np.ndarray:
    """Resize (H, W, C) float to (*sides, C) float32.

    The filter is widened against aliasing where the image shrinks.

    way: one of Pillow's filters; BICUBIC is that of Keys (1981) with a = -0.5.
    """
    height, width = sides
    planes = [
        Image.fromarray(np.asarray(plane, np.float32)).resize((width, height), way)
        for plane in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def scaled(sides: Sequence[Side], scale: int) -> tuple[Side, ...]:
    """Sides of an enlarged image, or slices of them: the last two, Y and X, times `scale`."""

    def one(side):
        if isinstance(side, slice):
            return slice(side.start * scale, side.stop * scale)
        return side * scale

    return (*sides[:-2], *map(one, sides[-2:]))
