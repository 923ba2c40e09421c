"""Scores of restored images: PSNR, SSIM, calibration, and a validation during the training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from common.evaluation import figures, quality
from common.restoring import prediction
from common.types import Example

PSNR = Callable[[np.ndarray, np.ndarray], float]


@dataclasses.dataclass
class Scores:
    """PSNR (dB, as `measure` has it) and SSIM of each image."""

    measure: PSNR = quality.psnr
    psnr: list[float] = dataclasses.field(default_factory=list)
    ssim: list[float] = dataclasses.field(default_factory=list)

    def add(self, clean: np.ndarray, restored: np.ndarray) -> None:
        """Scores one image, (H, W, C) in [0, 1]."""
        self.psnr.append(self.measure(clean, restored))
        self.ssim.append(quality.ssim(clean, restored))

    def line(self, dataset: str, noise: object, fields: Mapping[str, Any] | None = None) -> str:
        """The line that programs read: averages over images; fields: what else it shows."""
        more = "".join(f"{name}={value} " for name, value in (fields or {}).items())
        return (
            f"RESULT dataset={dataset} {more}noise={noise} images={len(self.psnr)} "
            f"psnr={np.mean(self.psnr):.3f} ssim={np.nanmean(self.ssim):.4f}"
        )


class Calibration:
    """Whether predicted deviations are true: rms of the errors over rms of the predictions."""

    def __init__(self) -> None:
        self._errors, self._predicted = 0.0, 0.0

    def add(self, clean: np.ndarray, result: Mapping[str, np.ndarray]) -> None:
        """Counts one result; one without `std` counts for nothing."""
        if "std" in result:
            # Sums first: pixels that the model is all too sure of would rule a mean of ratios.
            error = result["denoised"] - clean
            self._errors += float(np.square(error, dtype=np.float64).sum())
            self._predicted += float(np.square(result["std"], dtype=np.float64).sum())

    def __str__(self) -> str:
        if not self._predicted:
            return ""
        ratio = (self._errors / self._predicted) ** 0.5
        return (
            f"Errors are {ratio:.2f} times the predicted standard deviation (1: well calibrated)."
        )


def sheet_row(
    name: str,
    clean: np.ndarray | None,
    noisy: np.ndarray,
    result: Mapping[str, np.ndarray],
    psnr: PSNR = quality.psnr,
    input_name: str = "noisy",
) -> list[tuple[str, Image.Image]]:
    """Captioned pictures of one result for `figures.contact_sheet`: clean, noisy, denoised, std.

    Args:
        clean: (H, W, C) float in [0, 1], or None if there is none.
        noisy: what was restored; result: of the denoiser.
        psnr: for the captions.
        input_name: what to call the noisy one.
    """

    def caption(text: str, image: np.ndarray) -> str:
        return text if clean is None else f"{text} {psnr(clean, image):.2f} dB"

    denoised = result["denoised"]
    # Nobody knows the range of files that are noisy themselves.
    show = figures.to_picture if clean is not None else figures.stretching(noisy)
    row = [
        (f"{name}: {caption(input_name, noisy)}", show(noisy)),
        (caption("denoised", denoised), show(denoised)),
    ]
    if clean is not None:
        row.insert(0, ("clean", figures.to_picture(clean)))
    if "std" in result:
        row.append(("predicted std", figures.std_to_picture(result["std"])))
    return row


def validator(
    examples: Callable[[], Iterable[Example]], psnr: PSNR = quality.psnr, input_name: str = "noisy"
) -> Callable[[Any], tuple[dict[str, float], Image.Image]]:
    """validate(denoiser) for `loop.fit`: scores and a contact sheet of a few images.

    Args:
        examples: called without arguments, yields (name, clean, inputs); where clean is None, for
            files that are noisy already, there is nothing to score against.
        psnr: of a clean and a restored image.
        input_name: what to call the noisy ones.
    """

    def validate(denoiser):
        rows, figures_of = [], {}
        for name, clean, inputs in examples():
            result = prediction.restore(denoiser, inputs)
            rows.append(sheet_row(name, clean, inputs["noisy"], result, psnr, input_name))
            if clean is not None:
                figures_of.setdefault("psnr", []).append(psnr(clean, result["denoised"]))
                figures_of.setdefault("ssim", []).append(quality.ssim(clean, result["denoised"]))
            if "noise_std" in result:
                level = 255 * result["noise_std"].mean()
                figures_of.setdefault("noise_std_8bit", []).append(level)
        means = {name: float(np.mean(values)) for name, values in figures_of.items()}
        return means, figures.contact_sheet(rows)

    return validate
