"""Similarity of two images: PSNR as the originals compute it, PSNR of floats, SSIM."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

from common.files import pixels


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB after rounding both images to 8 bits, the originals' rule.

    Args:
        a, b: (H, W, C), both uint8 or both float in [0, 1]; floats beyond are clipped.

    Returns:
        PSNR in dB, infinite for equal images. tests/golden/psnr.npz.
    """
    a, b = (x if x.dtype == np.uint8 else pixels.from_unit(x, np.uint8) for x in (a, b))
    return _decibels(np.mean(np.square(a.astype(np.float64) - b)) / 255.0**2)


def psnr_clamped(clean: np.ndarray, restored: np.ndarray) -> float:
    """PSNR in dB of floats clamped to [0, 1] and not rounded; used for the MRI figures."""
    return psnr_float(*(np.clip(np.asarray(x, np.float64), 0.0, 1.0) for x in (clean, restored)))


def psnr_float(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR in dB of floats on [0, 1], neither rounded nor clipped; the peak is 1."""
    return _decibels(np.mean(np.square(np.asarray(a, np.float64) - b)))


def fitted(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Adapt brightness and contrast of an image to a reference.

    For comparisons where brightness and contrast mean nothing, as between microscope exposures. The
    PSNR of the result, with the range of the reference as peak, is called scale-invariant.

    Returns:
        image * a + b, float32, where a and b minimise the squared difference to the reference.
    """
    x, y = (np.asarray(array, np.float64) for array in (image, reference))
    variance = np.mean(np.square(x - x.mean()))
    slope = np.mean((x - x.mean()) * (y - y.mean())) / variance if variance else 0.0
    return (slope * (x - x.mean()) + y.mean()).astype(np.float32)


def _decibels(mean_square):
    return float("inf") if mean_square == 0 else float(-10.0 * np.log10(mean_square))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of floats in [0, 1] (Wang et al. 2004: Gaussian window of 1.5, 11x11).

    Args:
        a, b: (H, W, C); values beyond [0, 1] are clipped.

    Returns:
        SSIM, 1 for equal images; NaN if a side is below 11 pixels, for the window does not fit.
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
