"""How wrong restored images are, estimated without clean ones: Stein's unbiased risk estimate.

Where noise is independent between pixels, of variance v, the mean square of restored minus noisy
plus twice the mean of v times the derivative of each restored pixel by its own noisy one is what
the restored image would differ from another noisy image of the same scene. So two models are
compared on the noisy image alone. The derivatives are measured with added noise of known signs.

References: Stein, "Estimation of the mean of a multivariate normal distribution", Annals of
Statistics 1981; Ramani, Blu & Unser, "Monte-Carlo SURE", IEEE TIP 2008, eq. 14.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from common.networks import base
from common.restoring import calibrated_model, prediction

PROBE = 0.1  # deviation of the added noise, in those of the noise
BLOCK = 16  # pixels; neighbours err together, squares of this side nearly independently


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean over the pixels and its standard error."""

    value: float
    error: float

    @property
    def is_clear(self) -> bool:
        """Whether it differs from 0 by more than three standard errors."""
        return abs(self.value) > 3 * self.error


def variance(model: calibrated_model.Calibrated, image: np.ndarray) -> np.ndarray:
    """Variance of the noise of an image's pixels, as the calibration measured it.

    Args:
        model: of `calibrate`, not of a file.
        image: (H, W, C), in the values of the file.

    Returns:
        (H, W, C) float64.
    """
    restored = prediction.restore(model, {"noisy": image})["denoised"]
    channels = [curve.at(restored[..., c]) for c, curve in enumerate(model.curves)]
    return np.square(np.stack(channels, axis=-1), dtype=np.float64)


def pixelwise(model: base.Denoiser, image: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Estimates of the square of restored minus another noisy image of the same scene.

    Each alone says nothing; their mean is unbiased. The same arguments give the same bits.

    Args:
        model: restores images in the values of the file.
        image: noisy, (H, W, C) float32.
        variances: of its noise, (H, W, C).

    Returns:
        (H, W, C) float64, squares of the values of the file.
    """
    signs = np.random.default_rng(0).choice([-1, 1], image.shape).astype(np.float32)
    step = np.float32(PROBE) * np.sqrt(variances).astype(np.float32)
    restored, moved = (
        prediction.restore(model, {"noisy": noisy})["denoised"]
        for noisy in (image, image + signs * step)
    )
    derivatives = signs * (moved - restored) / step
    return np.square(restored - image, dtype=np.float64) + 2 * variances * derivatives


def mean(maps: Sequence[np.ndarray]) -> Mean:
    """The mean of some maps (H, W, C) of `pixelwise`, or of their differences.

    Its error is estimated from the means of squares of BLOCK x BLOCK, of which there must be two.
    """
    blocks = np.concatenate([_blocks(one) for one in maps])
    value = sum(one.sum() for one in maps) / sum(one.size for one in maps)
    return Mean(float(value), float(blocks.std(ddof=1) / len(blocks) ** 0.5))


def _blocks(one):
    """The means of the squares of BLOCK x BLOCK pixels of (H, W, C); rests are left out."""
    rows, columns = (side // BLOCK for side in one.shape[:2])
    inner = one[: rows * BLOCK, : columns * BLOCK].mean(axis=-1)
    return inner.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3)).ravel()
