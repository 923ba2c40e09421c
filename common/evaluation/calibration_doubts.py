"""What speaks against a calibration, and against its use for other images, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from common.evaluation import noise_level
from common.files import pixels
from common.restoring import calibrated_model, calibration, noise_curve

CLIPPED = 0.01  # share of clipped pixels that is worth a warning
MASKED = 0.1  # of those in constant areas
OUTSIDE = 0.005  # of those outside the values that were calibrated
BEYOND = 0.1  # of the calibrated range; so far outside values are not counted
AT_LIMIT = 0.99  # of the strongest noise that a model knows
FEW = 32  # steps from the darkest to the brightest value
WEAK = 255 * calibration.WEAKEST * 1.06  # of 255; noise that was taken for WEAKEST is below


def examine(images: Sequence[np.ndarray]) -> list[noise_level.Finding]:
    """noise_level.examine of the middles of images (H, W, C) that are large enough for it."""
    large = (image for image in images if min(image.shape[:2]) >= noise_level.MIN_SIDE)
    return [noise_level.examine(pixels.centre(image)) for image in large]


def of_calibration(
    model: calibrated_model.Calibrated,
    images: Sequence[np.ndarray],
    findings: Sequence[noise_level.Finding] | None = None,
) -> list[str]:
    """What speaks against a calibration.

    Args:
        model: of `calibrate`.
        images: those that it was found from, (H, W, C) in the values of the files.
        findings: of `examine`, where that was done already.

    Raises:
        ValueError: a model of a file, which has no curves.
    """
    if not model.curves:
        raise ValueError("of_calibration: expected a model that was just calibrated.")
    findings = examine(images) if findings is None else findings
    images = calibration.middles(images)
    doubts = [
        _shared(findings),
        _clipped(images),
        _masked(images),
        _few(images),
        _below_a_step(model.curves, images),
        *_strength(model),
    ]
    return [doubt for doubt in doubts if doubt]


def _shared(findings):
    """A doubt about noise that neighbours share, or nothing."""
    if not (shared := [finding for finding in findings if finding.shared]):
        return ""
    worst = max(shared, key=lambda finding: finding.calm / max(finding.sigma, 1e-9))
    return (
        f"calm areas vary by {worst.calm:.3g}, {worst.how_shared}, beside noise of "
        f"{worst.sigma:.3g} that pixels have for themselves. If that is noise, it stays: it "
        "must be independent between pixels. For photographs there is --model=photo-camera; "
        "noise2x train n2v --struct_kernel=... learns noise that neighbours in a line share."
    )


def _clipped(images):
    """A doubt about values that were cut off, or nothing."""
    clipped = max(_share(image, noise_curve.clipped) for image in images)
    if clipped <= CLIPPED:
        return ""
    return (
        f"{clipped:.1%} of the pixels are clipped; there the noise can't be seen, and what is "
        "restored is off. Shorter exposures keep it; nothing here brings it back."
    )


def _masked(images):
    """A doubt about areas of one value, or nothing."""
    masked = max(_share(image, noise_curve.masked) for image in images)
    if masked <= MASKED:
        return ""
    return (
        f"{masked:.0%} of the pixels lie in areas of one value, which mislead the model; "
        "cropped away, or filled with pixels drawn at random from the others, they do not."
    )


def _few(images):
    """A doubt about too few pixels, or nothing."""
    seen = sum(image.shape[0] * image.shape[1] for image in images)
    if seen >= 4 * calibration.MIN_PIXELS:
        return ""
    return (
        f"{seen} pixels are few for a calibration; that of more files of the acquisition, by "
        "--calibration=..., is better."
    )


def _below_a_step(curves, images):
    """A doubt about noise of less than half a step of the values, or nothing."""
    steps = [_step(images, channel) for channel in range(len(curves))]
    if not any(
        np.median(curve.deviations) < step / 2 and np.ptp(curve.values) <= FEW * step
        for curve, step in zip(curves, steps, strict=True)
    ):
        return ""
    return (
        f"the noise is less than half a step of the values, {max(steps):.2g}, as where fewer "
        "than one photon in four pixels is counted; what is restored is off. Sums of frames, "
        "or of neighbouring pixels, are restored better."
    )


def _strength(model):
    """Doubts about noise that is too strong for the model, or hardly there."""
    level, doubts = 255 * float(model.level[0]), []
    if level > AT_LIMIT * model.inner.config.noise.high > 0:
        doubts.append(
            "the noise is as strong beside the picture as this model knows it, or stronger; what "
            "is restored may be blurred. Means of several frames have less."
        )
    if level < WEAK:
        doubts.append(
            f"the noise is weak beside the range of the values, sigma {level:.2g} of 255 or less; "
            "compare with what the model gives without a calibration: photographs may gain."
        )
    return doubts


def of_use(model: calibrated_model.Calibrated, image: np.ndarray) -> str:
    """What speaks against a calibration for an image (H, W, C) of values as stored, or nothing."""
    further = BEYOND * (model.high - model.low)
    low, high = model.low - further, model.high + further
    outside = float(np.mean((image < low) | (image > high)))
    if outside <= OUTSIDE:
        return ""
    return (
        f"{outside:.1%} of the values are beyond those that were calibrated, {model.low:.4g} to "
        f"{model.high:.4g}; how strong the noise is there is not known. Calibrate on files that "
        "have them, or each for itself: --calibrate_each."
    )


def _share(image, function):
    """The largest share of pixels, over the channels, of which a function of a channel is true."""
    return max(float(function(image[..., c]).mean()) for c in range(image.shape[-1]))


def _step(images, channel):
    """The smallest difference between values of a channel, of some pixels; 0 if all are equal."""
    values = [image[::3, ::3, channel].ravel() for image in images]
    steps = np.diff(np.unique(np.concatenate(values)))
    return float(steps.min()) if steps.size else 0.0
