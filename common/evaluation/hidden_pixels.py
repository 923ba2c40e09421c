"""Whether one model restores noisy images better than a blind one: by pixels that were hidden.

A pixel y = c + n of independent noise n is replaced by another draw: by what a model restores
there from the pixels around, plus noise as strong as a calibration measured. What is restored there
then, r, knows nothing of n, so that E (r - y)^2 = E (r - c)^2 + E n^2. The variance of the noise is
the same for all models, and need not be known to compare two of them.

For a model that does not use the pixel itself, as Noise2Void is trained to be, E (r - c)^2 is its
error. One that does use it has a smaller error than this, for in truth it gets y, which is nearer
to c than the draw is. And a model that was trained on these images knows some of their noise by
heart, and seems better than it is. So a model that seems better than Noise2Void's is; one that
seems worse may be better yet.

Reference: Batson & Royer, "Noise2Self", ICML 2019, proposition 1, for hidden pixels as a measure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from common import progress
from common.networks import base
from common.restoring import calibrated_model, prediction

STRIDE = 4  # pixels from one hidden pixel to the next
BLOCK = 16  # pixels; neighbours err together, squares of this side nearly independently
AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])[..., None] / 8.0


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean over pixels and its standard error, from how much squares of BLOCK differ."""

    value: float
    error: float

    @property
    def is_positive(self) -> bool:
        """Whether it is above 0 by more than three standard errors."""
        return self.value > 3 * self.error


def difference(
    model: calibrated_model.Calibrated, other: base.Denoiser, images: Sequence[np.ndarray]
) -> Estimate:
    """How much lower a calibrated model's mean square error is than a blind one's, at least.

    Clearly above 0, the calibrated one is better; else it is not known. The same arguments give the
    same bits.

    Args:
        model: of `calibrate`, not of a file.
        other: trained by hidden pixels; takes and gives values of the files, divided by its white
            level if it has one.
        images: noisy, (H, W, C) float32, in the values of the files, BLOCK or more a side.

    Returns:
        In squares of the values of the files.
    """
    blocks, total, count = [], 0.0, 0
    with progress.Progress(len(images) * STRIDE**2, "comparing", unit="round") as bar:
        for image in images:
            ours, theirs = _square_errors([model, other], model, image, bar)
            gap = theirs - ours
            blocks.append(_blocks(gap))
            total, count = total + gap.sum(), count + gap.size
    means = np.concatenate(blocks)
    return Estimate(float(total / count), float(means.std(ddof=1) / len(means) ** 0.5))


def _square_errors(models, calibrated, image, bar):
    """For each model (H, W, C) float64: squares of restored minus noisy where it was hidden."""
    rng = np.random.default_rng(0)
    around = ndimage.convolve(image, AROUND.astype(np.float32), mode="mirror")
    errors = [np.empty(image.shape) for _ in models]
    for row, column in np.ndindex(STRIDE, STRIDE):
        hidden = np.s_[row::STRIDE, column::STRIDE]
        given = image.copy()
        given[hidden] = around[hidden]
        guess = _restored(calibrated, given)[hidden]
        deviations = [curve.at(guess[..., c]) for c, curve in enumerate(calibrated.curves)]
        noise = np.stack(deviations, axis=-1) * rng.standard_normal(guess.shape)
        given[hidden] = guess + noise
        for model, squares in zip(models, errors, strict=True):
            gap = _restored(model, given)[hidden] - image[hidden]
            squares[hidden] = np.square(gap, dtype=np.float64)
        bar.step()
    return errors


def _restored(model, image):
    """An image (H, W, C) restored, both in the values of the file."""
    white = np.float32(model.config.white_level or 1.0)
    return prediction.restore(model, {"noisy": image / white})["denoised"] * white


def _blocks(one):
    """The means of the squares of BLOCK x BLOCK pixels of (H, W, C); rests are left out."""
    rows, columns = (side // BLOCK for side in one.shape[:2])
    inner = one[: rows * BLOCK, : columns * BLOCK].mean(axis=-1)
    return inner.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3)).ravel()
