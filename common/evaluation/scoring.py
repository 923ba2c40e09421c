"""Scores of restored images: PSNR, SSIM, calibration, and validation during the training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from common.evaluation import figures, noise_level, quality
from common.files import pixels
from common.restoring import prediction
from common.types import Example

if TYPE_CHECKING:
    from common.networks.base import Denoiser

SHOWN = 4  # images of a validation that its sheet shows
PSNR = Callable[[np.ndarray, np.ndarray], float]


@dataclasses.dataclass
class Scores:
    """PSNR and SSIM of each image.

    Attributes:
        measure: PSNR of a clean and a restored image, dB.
        psnr, ssim: one score for each image that was added.
    """

    measure: PSNR = quality.psnr
    psnr: list[float] = dataclasses.field(default_factory=list)
    ssim: list[float] = dataclasses.field(default_factory=list)

    def add(self, clean: np.ndarray, restored: np.ndarray) -> None:
        """Score one image, (H, W, C) in [0, 1]."""
        self.psnr.append(self.measure(clean, restored))
        self.ssim.append(quality.ssim(clean, restored))

    def line(self, dataset: str, noise: object, fields: Mapping[str, Any] | None = None) -> str:
        """The RESULT line, which programs read, with the averages over all images.

        Args:
            dataset: name of the images.
            noise: what was added to them.
            fields: further entries of the line, name -> value.
        """
        more = "".join(f"{name}={value} " for name, value in (fields or {}).items())
        return (
            f"RESULT dataset={dataset} {more}noise={noise} images={len(self.psnr)} "
            f"psnr={np.mean(self.psnr):.3f} ssim={np.nanmean(self.ssim):.4f}"
        )


def of_results(denoiser: Denoiser, examples: Iterable[Example]) -> tuple[Scores, Calibration]:
    """Scores of what a denoiser makes of examples with clean images, and of its deviations."""
    scores, calibration = Scores(), Calibration()
    for _, clean, inputs in examples:
        assert clean is not None
        result = prediction.restore(denoiser, inputs)
        scores.add(clean, result["denoised"])
        calibration.add(clean, result)
    return scores, calibration


class Calibration:
    """How well predicted standard deviations tell the errors.

    `ratio` is the root mean square of the errors over that of the predicted deviations, None if no
    result had `std`; `coverage` the shares of values whose error is within 1 and 2 of them.
    str(calibration) is a line for the user, empty without `std`.
    """

    def __init__(self) -> None:
        self._errors, self._predicted = 0.0, 0.0
        self._within, self._count = np.zeros(2), 0

    def add(self, clean: np.ndarray, result: Mapping[str, np.ndarray]) -> None:
        """Count one result; a result without `std` is ignored.

        Args:
            clean: (H, W, C) in [0, 1].
            result: of a denoiser.
        """
        if "std" in result:
            # A ratio of sums: a mean of ratios would be ruled by pixels with far too small a `std`.
            error = result["denoised"] - clean
            self._errors += float(np.square(error, dtype=np.float64).sum())
            self._predicted += float(np.square(result["std"], dtype=np.float64).sum())
            self._within += [np.count_nonzero(np.abs(error) <= k * result["std"]) for k in (1, 2)]
            self._count += error.size

    @property
    def ratio(self) -> float | None:
        """See the class."""
        return (self._errors / self._predicted) ** 0.5 if self._predicted else None

    @property
    def coverage(self) -> tuple[float, float]:
        """See the class."""
        one, two = self._within / max(self._count, 1)
        return float(one), float(two)

    def __str__(self) -> str:
        if self.ratio is None:
            return ""
        one, two = self.coverage
        return (
            f"Errors are {self.ratio:.2f} times the predicted standard deviation (1: well "
            f"calibrated); {one:.1%} of the values are within 1 of it, {two:.1%} within 2 (68.3 "
            "and 95.4, were the errors Gaussian)."
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
        name: of the image.
        clean: (H, W, C) float in [0, 1], or None if there is none.
        noisy: the image that was restored, like `clean`.
        result: of the denoiser.
        psnr: PSNR of a clean and a restored image, dB, for the captions.
        input_name: what the captions call the noisy image.
    """

    def caption(text: str, image: np.ndarray) -> str:
        return text if clean is None else f"{text} {psnr(clean, image):.2f} dB"

    denoised = result["denoised"]
    # Without a clean image the range of the values is unknown.
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


def change_of(noisy: np.ndarray, denoised: np.ndarray) -> dict[str, float]:
    """By how much restoring changed an image, and by how much its noise explains.

    Args:
        noisy, denoised: (H, W, C), in the same units.

    Returns:
        {"change": root mean square, "explained": see noise_level.Finding}, in these units; nothing
        for volumes, for images that were enlarged, and for those that are too small to tell.
    """
    if noisy.ndim != 3 or noisy.shape != denoised.shape:
        return {}
    if min(noisy.shape[:2]) < noise_level.MIN_SIDE:
        return {}
    change = float(np.sqrt(np.mean(np.square(denoised - noisy, dtype=np.float64))))
    # The middle tells of the noise; all of a large picture would only take longer.
    explained = noise_level.examine(pixels.centre(noisy)).explained
    return {"change": change, "explained": explained}


def validator(
    examples: Callable[[], Iterable[Example]], psnr: PSNR = quality.psnr, input_name: str = "noisy"
) -> Callable[[Any], tuple[dict[str, float], Image.Image]]:
    """A function validate(denoiser) for `loop.fit`: scores and a contact sheet of a few images.

    Args:
        examples: called without arguments, yields (name, clean, inputs). Examples whose clean image
            is None, of files that are noisy already, are shown but not scored.
        psnr: PSNR of a clean and a restored image, dB.
        input_name: what the captions call the noisy images.

    Returns:
        A function of a denoiser that returns ({name: mean score}, RGB picture). Without clean
        images the scores are those of `change_of`.
    """

    def validate(denoiser):
        rows, scores = [], {}
        for name, clean, inputs in examples():
            result = prediction.restore(denoiser, inputs)
            if len(rows) < SHOWN:
                rows.append(sheet_row(name, clean, inputs["noisy"], result, psnr, input_name))
            if clean is not None:
                scores.setdefault("psnr", []).append(psnr(clean, result["denoised"]))
                scores.setdefault("ssim", []).append(quality.ssim(clean, result["denoised"]))
            else:
                for figure, value in change_of(inputs["noisy"], result["denoised"]).items():
                    scores.setdefault(figure, []).append(value)
            if "noise_std" in result:
                level = 255 * result["noise_std"].mean()
                scores.setdefault("noise_std_8bit", []).append(level)
        means = {name: float(np.mean(values)) for name, values in scores.items()}
        return means, figures.contact_sheet(rows)

    return validate
