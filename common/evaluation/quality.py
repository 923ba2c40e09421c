"""How close an image is to another: PSNR as the originals compute it, PSNR of floats, SSIM."""

import numpy as np
from skimage.metrics import structural_similarity

from common.files import pixels


def psnr(a, b):
    """Peak signal-to-noise ratio in dB after rounding both to 8 bits, the originals' rule.

    Args:
        a, b: (H, W, C), both uint8 or both float in [0, 1]; floats beyond are clipped.

    Returns:
        float; infinite for equal images. tests/golden/psnr.npz.
    """
    a, b = (x if x.dtype == np.uint8 else pixels.from_unit(x, np.uint8) for x in (a, b))
    return _decibels(np.mean(np.square(a.astype(np.float64) - b)) / 255.0**2)


def psnr_clamped(clean, restored):
    """PSNR in dB of one image, both clamped to [0, 1], nothing rounded: that of the MRI figures."""
    return psnr_float(*(np.clip(np.asarray(x, np.float64), 0.0, 1.0) for x in (clean, restored)))


def psnr_float(a, b):
    """PSNR in dB of floats in [0, 1] as they are, neither rounded nor clipped; peak 1."""
    return _decibels(np.mean(np.square(np.asarray(a, np.float64) - b)))


def fitted(image, reference):
    """image * a + b, a and b by least squares nearest to the reference; float32.

    For comparisons where brightness and contrast mean nothing, as between microscope exposures:
    the PSNR of it, with the reference's range as peak, is called scale-invariant.
    """
    x, y = (np.asarray(array, np.float64) for array in (image, reference))
    variance = np.mean(np.square(x - x.mean()))
    slope = np.mean((x - x.mean()) * (y - y.mean())) / variance if variance else 0.0
    return (slope * (x - x.mean()) + y.mean()).astype(np.float32)


def _decibels(mean_square):
    return float("inf") if mean_square == 0 else float(-10.0 * np.log10(mean_square))


def ssim(a, b):
    """Structural similarity (Wang et al. 2004: Gaussian window of 1.5, 11x11) of floats in [0, 1].

    Images with a side below 11 pixels give NaN: the window does not fit.
    """
    if min(a.shape[:2]) < 11:
        return float("nan")
    return float(
        structural_similarity(
            np.clip(a, 0.0, 1.0),
            np.clip(b, 0.0, 1.0),
            data_range=1.0,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )
