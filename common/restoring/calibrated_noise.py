"""The noise of images, as the transform of a calibration shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from common.restoring import calibrated_model

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


def estimate(model: calibrated_model.Calibrated, images: Sequence[np.ndarray]) -> Estimate:
    """The noise of images, as their calibration has it.

    Args:
        model: calibrated for such images.
        images: noisy, (H, W, C) in the values of the files.
    """
    values = np.concatenate([np.asarray(image, np.float32).ravel() for image in images])
    knots, deviations = model.deviations()
    # Beyond the restored images, which reach from 0 to 1, nothing was measured.
    table = np.asarray(model.forward_table).mean(axis=0)
    lowest, highest = np.clip(np.quantile(values, POPULATED), *np.interp((0, 1), table, knots))
    shown = np.linspace(lowest, highest, 17)
    # As often as pixels have them.
    common_values = np.clip(np.quantile(values, np.linspace(*POPULATED, 65)), lowest, highest)
    variances = np.interp(common_values, knots, deviations) ** 2
    gain, offset = 0.0, float(variances.mean())
    if np.unique(common_values).size > 2:
        gain, offset = np.polyfit(common_values, variances, 1, w=1 / variances)
    at_shown = np.interp(shown, knots, deviations)
    levels = tuple((float(v), float(d)) for v, d in zip(shown, at_shown, strict=True))
    return Estimate(levels, float(gain), float(offset))
