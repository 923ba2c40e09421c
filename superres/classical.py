"""Enlarging without learning, from the small image before any noise; and what the network gets."""

from PIL import Image

from common.files import pixels


def enlarged(noisy, small, sigma):
    """What comes in: bicubic, with noise."""
    return noisy


def bicubic(noisy, small, sigma):
    """Bicubic, without noise."""
    return pixels.resize(small, noisy.shape[:2])


def lanczos(noisy, small, sigma):
    """Lanczos of three lobes, without noise."""
    return pixels.resize(small, noisy.shape[:2], Image.LANCZOS)


NAMES = {f.__name__: f for f in (enlarged, bicubic, lanczos)}
