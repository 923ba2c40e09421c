"""Classical ways to enlarge an image, for comparison.

Every method takes the enlarged noisy image (H, W, C), the small image without noise
(H / scale, W / scale, C) and the standard deviation of the noise, which none of them uses. It
returns (H, W, C).
"""

from PIL import Image

from common.files import pixels


def enlarged(noisy, small, sigma):
    """The input of the network: bicubically enlarged, with noise."""
    return noisy


def bicubic(noisy, small, sigma):
    """Bicubic interpolation of the small image without noise."""
    return pixels.resize(small, noisy.shape[:2])


def lanczos(noisy, small, sigma):
    """Lanczos interpolation (three lobes) of the small image without noise."""
    return pixels.resize(small, noisy.shape[:2], Image.LANCZOS)


NAMES = {f.__name__: f for f in (enlarged, bicubic, lanczos)}
