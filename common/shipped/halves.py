"""Weights as files hold them: 16 bits each, all upper bytes of an array before its lower ones.

Upper bytes (sign, exponent, two bits of the fraction) are much alike, lower ones are noise. Apart
from each other they deflate to 6 % less than as pairs.
"""

import numpy as np


def split(weights: np.ndarray) -> np.ndarray:
    """uint8 [2, ...], the upper and the lower bytes, of weights [...] rounded to float16.

    Raises:
        OverflowError: weights beyond the range of float16, or that are not finite.
    """
    with np.errstate(over="ignore"):  # it is looked at below
        halves = np.asarray(weights, ">f2")
    if not np.isfinite(halves).all():
        raise OverflowError("weights that 16 bits can't hold")
    return np.ascontiguousarray(np.moveaxis(halves[..., None].view(np.uint8), -1, 0))


def joined(planes: np.ndarray) -> np.ndarray:
    """float32 [...] of what `split` gave.

    Raises:
        ValueError: other arrays.
    """
    if planes.dtype != np.uint8 or planes.ndim < 1 or len(planes) != 2:
        raise ValueError(f"{planes.dtype} {list(planes.shape)} are no halves of weights")
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(">f2")[..., 0].astype(np.float32)
