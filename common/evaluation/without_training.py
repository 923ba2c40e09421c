"""Whether a shipped model, calibrated for noisy images, makes a training on them unnecessary."""

from __future__ import annotations

import time
import typing
from collections.abc import Sequence

import numpy as np

from common.evaluation import calibration_doubts, risk
from common.restoring import calibration

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

IMAGES = 16  # that are looked at, at most, spread evenly


def report(
    ready: Denoiser,
    name: str,
    images: Sequence[np.ndarray],
    trained: Denoiser | None = None,
    run_dir: str = "",
) -> list[str]:
    """Calibrate a shipped model, estimate how wrong it is, and say it in lines for the user.

    Args:
        ready: the shipped model, see `calibrated_model.refusal`.
        name: of it.
        images: noisy, (H, W, C), in the values of the files.
        trained: a model that was trained on such images, to compare with; takes such values.
        run_dir: where it is.
    """
    chosen = np.unique(np.linspace(0, len(images) - 1, IMAGES).round().astype(int))
    begun = time.monotonic()
    try:
        looked = calibration.middles([images[i] for i in chosen])
        model = calibration.calibrate(ready, looked)
    except ValueError as error:
        return [f"Without a training: {name} can't be calibrated for these images ({error})"]
    seconds = time.monotonic() - begun
    findings = calibration_doubts.examine(looked)
    doubts = calibration_doubts.of_calibration(model, looked, findings)
    if any(finding.shared for finding in findings):
        return [f"Without a training: {name} is not for these images: {doubts[0]}"]
    variances = [risk.variance(model, image) for image in looked]
    maps = [risk.pixelwise(model, *pair) for pair in zip(looked, variances, strict=True)]
    noise = risk.mean(variances).value
    left = risk.mean(maps).value - noise
    # Where the noise is strong, so little is left that its estimate may be below 0.
    remaining = f"about {left**0.5:.2g}" if left > 0.01 * noise else "little"
    lines = [
        f"Without a training: {name}, calibrated for these images in {seconds:.1f} s, leaves "
        f"{remaining} of noise of {noise**0.5:.3g} (estimated without clean images); "
        "noise2x denoise --calibrate FILES."
    ]
    lines += [f"Careful, if calibrated: {doubt}" for doubt in doubts]
    if trained is None:
        return [*lines, "Once you have trained, --check_only --run_dir=... says which is better."]
    pairs = zip(maps, looked, variances, strict=True)
    difference = risk.mean(
        [risk.pixelwise(trained, image, var) - ours for ours, image, var in pairs]
    )
    figures = f"{abs(difference.value):.3g} +- {difference.error:.2g}"
    if not difference.is_clear:
        verdict = f"no better and no worse than {run_dir}, as far as these images tell"
    elif difference.value > 0:
        verdict = f"better than {run_dir}"
    else:
        verdict = f"worse than {run_dir}: the training has paid"
    return [*lines, f"Calibrated, {name} is {verdict} (mean square errors differ by {figures})."]
