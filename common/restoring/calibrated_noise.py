"""The noise of images, as the transform of a calibration shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from common.restoring import calibration

POPULATED = (0.005, 0.995)  # quantiles of the values between which there is an estimate


@dataclasses.dataclass(frozen=True)
class Estimate:
    """The strength of the noise in the values of the file, averaged over the channels.

    levels: (value, deviation of the noise there), over the values that the images have.
    gain, offset: the variance is about gain * value + offset.
    """

    levels: tuple[tuple[float, float], ...]
    gain: float
    offset: float

    @property
    def read_noise(self) -> float:
        """Deviation of the noise where there is no signal; 0 where the line is below 0 there."""
        return max(self.offset, 0.0) ** 0.5


def estimate(model: calibration.Calibrated, images: Sequence[np.ndarray]) -> Estimate:
    """The noise of images, as their calibration has it.

    Args:
        model: calibrated for such images.
        images: noisy, (H, W, C) in the values of the files.
    """
    values = np.concatenate([np.asarray(image, np.float32).ravel() for image in images])
    lowest, highest = np.quantile(values, POPULATED)
    shown = np.linspace(lowest, highest, 17)
    deviations = np.interp(shown, *model.deviations())
    common_values = np.quantile(values, np.linspace(*POPULATED, 65))  # as often as pixels have them
    variances = np.interp(common_values, *model.deviations()) ** 2
    gain, offset = np.polyfit(common_values, variances, 1, w=1 / variances)
    levels = tuple((float(v), float(d)) for v, d in zip(shown, deviations, strict=True))
    return Estimate(levels, float(gain), float(offset))
