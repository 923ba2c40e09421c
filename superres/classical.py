"""Enlarging without learning, from the small image before any noise; and what the network gets."""

import numpy as np

from superres import resampling


def enlarged(noisy, small, sigma):
    """What comes in: bicubic, with noise."""
    return noisy


def bicubic(noisy, small, sigma):
    """Bicubic, without noise."""
    return _enlarged(small, noisy, "bicubic")


def lanczos(noisy, small, sigma):
    """Lanczos of three lobes, without noise."""
    return _enlarged(small, noisy, "lanczos3")


def _enlarged(small, noisy, interpolation):
    scale = noisy.shape[0] // small.shape[0]
    enlarger = resampling.build_enlarger(small.shape[-1], scale, interpolation=interpolation)
    return np.asarray(enlarger(small[None]))[0]


NAMES = {f.__name__: f for f in (enlarged, bicubic, lanczos)}
