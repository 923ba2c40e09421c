"""Classical denoisers, which go through the same evaluation as the networks.

All take a noisy image (H, W, C) or volume (D, H, W, C), float32 in [0, 1] but never clipped, and
the standard deviation of its noise on [0, 1]. All return an image of the same shape.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from common.files.errors import ImageError

Baseline = Callable[..., np.ndarray]


def noisy(image: np.ndarray, sigma: float) -> np.ndarray:
    """The noisy image itself, unrestored."""
    return image


def mean(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Mean of 3x3 pixels, in volumes of 3x3x3."""
    from scipy import ndimage

    return ndimage.uniform_filter(noisy, size=_window(noisy), mode="reflect")


def median(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Median of 3x3 pixels, in volumes of 3x3x3."""
    from scipy import ndimage

    return ndimage.median_filter(noisy, size=_window(noisy), mode="reflect")


def _window(image):
    return (3,) * (image.ndim - 1) + (1,)


def estimated_deviation(noisy: np.ndarray) -> float:
    """Estimate the standard deviation of white noise in (H, W, C) or (D, H, W, C).

    It is the median of |d| / 0.6745, where d are the diagonal details of 2x2 pixels (Donoho &
    Johnstone 1994).
    """
    height, width = (n // 2 * 2 for n in noisy.shape[-3:-1])
    image = noisy[..., :height, :width, :]
    a, b = image[..., ::2, ::2, :], image[..., ::2, 1::2, :]
    c, d = image[..., 1::2, ::2, :], image[..., 1::2, 1::2, :]
    return float(np.median(np.abs(a - b - c + d) / 2) / 0.6745)


def non_local_means(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Non-local means (Buades et al. 2005), patches of 5x5, searched within 13x13 pixels."""
    from skimage import restoration

    restored = restoration.denoise_nl_means(
        noisy, patch_size=5, patch_distance=6, h=0.6 * sigma, sigma=sigma, channel_axis=-1
    )
    return restored.astype(np.float32).reshape(noisy.shape)  # scikit-image drops a single channel


def bm3d(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """BM3D (Dabov et al. 2007), CBM3D for colour; needs `pip install noise2x[baselines]`."""
    import bm3d as package  # an extra: its licence is for non-commercial use

    restore = package.bm3d_rgb if noisy.shape[-1] == 3 else package.bm3d
    restored = restore(noisy if noisy.shape[-1] == 3 else noisy[..., 0], sigma_psd=float(sigma))
    return np.asarray(restored, np.float32).reshape(noisy.shape)


NAMES: dict[str, Baseline] = {f.__name__: f for f in (noisy, mean, median, non_local_means, bm3d)}


def available(names: Sequence[str], table: Mapping[str, Baseline] = NAMES) -> dict[str, Baseline]:
    """Select baselines by name.

    Args:
        names: of baselines, or ["all"] for those that can run here.
        table: all baselines, by name.

    Raises:
        ImageError: an unknown name, or bm3d where it is not installed.
    """
    has_bm3d = importlib.util.find_spec("bm3d") is not None
    if names == ["all"]:
        names = [name for name in table if name != "bm3d" or has_bm3d]
    for name in names:
        if name not in table:
            raise ImageError(f"baseline {name!r}: expected {', '.join(table)} or all.")
        if name == "bm3d" and not has_bm3d:
            raise ImageError("baseline bm3d: not installed; pip install noise2x[baselines].")
    return {name: table[name] for name in names}
