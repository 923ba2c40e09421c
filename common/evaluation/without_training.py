"""Whether a shipped model, calibrated for noisy images, makes a training on them unnecessary."""

from __future__ import annotations

import time
import typing
from collections.abc import Sequence

import numpy as np

from common.evaluation import calibration_doubts, hidden_pixels, inspection
from common.restoring import calibration

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

IMAGES = 16  # that are looked at, at most, spread evenly
MAX_PIXELS = 2**18  # that two models are compared on


def report(
    ready: Denoiser,
    name: str,
    images: Sequence[np.ndarray],
    trained: Denoiser | None = None,
    run_dir: str = "",
    for_shared_noise: bool = False,
) -> list[str]:
    """Calibrate a shipped model, compare it with a trained one, and say it in lines for the user.

    Args:
        ready: the shipped model, see `calibrated_model.refusal`.
        name: the shipped model's.
        images: noisy, (H, W, C), as stored.
        trained: Noise2Void's model of such images, to compare with, see
            `hidden_pixels.difference`.
        run_dir: the trained model's.
        for_shared_noise: whether that one was trained for noise that neighbours share (structN2V).

    Returns:
        Lines; "Careful" begins what speaks against the calibration.
    """
    numbers = np.unique(np.linspace(0, len(images) - 1, IMAGES).round().astype(int))
    chosen = [images[i] for i in numbers]
    begun = time.monotonic()
    try:
        model = calibration.calibrate(ready, chosen)
    except ValueError as error:
        return [f"Without a training: {name} can't be calibrated for these images ({error})"]
    seconds = time.monotonic() - begun
    findings = calibration_doubts.examine(chosen)
    doubts = calibration_doubts.of_calibration(model, chosen, findings)
    if any(finding.shared for finding in findings):
        return [f"Without a training: {name} is not for these images: {doubts[0]}"]
    lines = [
        f"Without a training: noise2x denoise --calibrate FILES restores them by {name}; it took "
        f"{seconds:.1f} s to calibrate it."
    ]
    lines += [f"Careful, if calibrated: {doubt}" for doubt in doubts]
    both = f"noise2x compare FILE --models={name},{run_dir} --calibrate."
    if trained is None:
        return [
            *lines,
            "After a training, the same command with --run_dir=RUN says if the calibrated model is "
            "better.",
        ]
    looked = calibration.middles(chosen, MAX_PIXELS)
    if for_shared_noise or _correlation(looked) > inspection.CORRELATED:
        return [
            *lines,
            f"Which of the two is better can't be told: neighbours share the noise, and hidden "
            f"pixels can be guessed from it; look at both: {both}",
        ]
    gain = hidden_pixels.difference(model, trained, looked)
    where = f"in the middle of {len(looked)} image{'s' * (len(looked) > 1)}"
    if gain.least > 0:
        return [
            *lines,
            f"Calibrated, {name} is better than {run_dir}, {where}: its mean square error is lower "
            f"by more than {gain.least:.3g}, in squares of the files' values.",
        ]
    return [
        *lines,
        f"Calibrated, {name} is not shown to be better than {run_dir}, {where}; look at both: "
        f"{both}",
    ]


def _correlation(images):
    """Of the noise with the next pixel, on average over images (H, W, C); 0 if they are small."""
    planes = [image[..., c] for image in images for c in range(image.shape[-1])]
    found = [inspection.noise_correlation(plane)[:, 0] for plane in planes]
    return np.abs(np.nan_to_num(found).mean(axis=0)).max()
