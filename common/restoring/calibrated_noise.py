"""The noise of images, as their calibration measured it."""

from __future__ import annotations

import dataclasses

import numpy as np

from common.restoring import calibrated_model

WIDE = 0.1  # of the widest channel's range; channels of less do not count


@dataclasses.dataclass(frozen=True)
class Estimate:
    """The strength of the noise in the values of the file, averaged over the channels.

    Channels that are nearly of one value do not count, and others only where they have values.

    levels: (value, deviation of the noise there), over the values that the restored images have.
    gain, offset: the variance is about gain * value + offset. Where photons are counted, gain is
        the counts that one of them makes.
    """

    levels: tuple[tuple[float, float], ...]
    gain: float
    offset: float

    @property
    def read_noise(self) -> float:
        """Deviation of the noise at the value 0: the read-out noise, if black is 0.

        0 where the line is below 0 there.
        """
        return max(self.offset, 0.0) ** 0.5


def estimate(model: calibrated_model.Calibrated) -> Estimate:
    """The noise that a calibration measured.

    Args:
        model: of `calibrate`, not of a file.

    Raises:
        ValueError: a model of a file, which has no curves.
    """
    if not model.curves:
        raise ValueError("estimate: expected a model that was just calibrated.")
    ranges = [np.ptp(curve.values) for curve in model.curves]
    curves = [c for c, r in zip(model.curves, ranges, strict=True) if r >= WIDE * max(ranges)]
    lowest = min(curve.values[0] for curve in curves)
    highest = max(curve.values[-1] for curve in curves)
    shown = np.linspace(lowest, highest, 17)
    inside = np.array([(shown >= c.values[0]) & (shown <= c.values[-1]) for c in curves])
    weights = np.where(inside.any(axis=0), inside, 1)  # between two channels all count
    deviations = np.average([curve.at(shown) for curve in curves], axis=0, weights=weights)
    gain, offset = np.mean([curve.line() for curve in curves], axis=0)
    levels = tuple((float(v), float(d)) for v, d in zip(shown, deviations, strict=True))
    return Estimate(levels, float(gain), float(offset))
