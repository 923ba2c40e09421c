"""The noise of images, as the transform of a calibration shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from common.restoring import calibration

SMOOTH = 17  # knots over which the slope of the transform is averaged
POPULATED = (0.005, 0.995)  # quantiles of the values between which there is an estimate
SIDE = 512  # of the part that is restored to see how strong the noise is, pixels


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
    """Estimate the noise of images by the slope of the transform: where it is steep, noise is weak.

    Args:
        model: calibrated for such images.
        images: noisy, (H, W, C) in the values of the files.
    """
    values = np.concatenate([np.asarray(image, np.float32).ravel() for image in images])
    largest = max(images, key=np.size)
    noisy = np.asarray(largest[:SIDE, :SIDE], np.float32)[None]
    inputs = {name: np.asarray(value) for name, value in model.stable(noisy).items()}
    stable, restored = inputs["noisy"], model.inner.predict_on_batch(inputs)
    if "noise_std" in restored:
        sigma = float(np.mean(restored["noise_std"]))
    else:  # of what was taken away, so that what was done to outlines does not count
        sigma = float(np.median(np.abs(stable - np.asarray(restored["denoised"]))) / 0.6745)
    knots = np.asarray(model.knots()).mean(axis=0)
    half = SMOOTH // 2
    at = np.linspace(model.low, model.high, calibration.KNOTS)
    slopes = (knots[2 * half :] - knots[: -2 * half]) / (at[2 * half] - at[0])
    lowest, highest = np.quantile(values, POPULATED)
    shown = np.linspace(lowest, highest, 17)
    deviations = sigma / np.interp(shown, at[half:-half], slopes)
    common_values = np.quantile(values, np.linspace(*POPULATED, 65))  # as often as pixels have them
    variances = (sigma / np.interp(common_values, at[half:-half], slopes)) ** 2
    gain, offset = np.polyfit(common_values, variances, 1, w=1 / variances)
    levels = tuple((float(v), float(d)) for v, d in zip(shown, deviations, strict=True))
    return Estimate(levels, float(gain), float(offset))
