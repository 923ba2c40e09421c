"""Whether one model restores noisy images better than a blind one: by pixels that were hidden.

A pixel y = c + n of independent noise n is replaced by another draw: by what a model restores there
from the pixels around, plus what another hidden pixel of similar value differs from its own such
guess. What is restored there then, r, knows nothing of n, so that E (r - y)^2 = E (r - c)^2 +
E n^2. The variance of the noise is the same for all models, and need not be known to compare two.

For a model that does not use the pixel itself, as Noise2Void is trained to be, E (r - c)^2 is its
error. One that does use it has a smaller error than this, for in truth it gets y, which is nearer
to c than the draw is: the draw holds the noise of another pixel and the errors of two guesses. And
a model that was trained on these images knows some of their noise by heart, and seems better than
it is. So a model that seems better than Noise2Void's is; one that seems worse may be better yet.
None of this holds if neighbours share the noise: then r knows of n from around.

Reference: Batson & Royer, "Noise2Self", ICML 2019, proposition 1, for hidden pixels as a measure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage, stats

from common import progress
from common.networks import base
from common.restoring import noise_curve, prediction

STRIDE = 4  # pixels from one hidden pixel to the next
BLOCK = 16  # pixels; side of a square; neighbours err together, squares nearly independently
APART = 8  # in the order of values, from a hidden pixel to the one whose noise it gets
SURE = 0.977  # that a difference is above a bound: two standard errors of many squares
AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])[..., None] / 8.0


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean over pixels.

    value: the mean; error: its standard error, from how much squares of BLOCK differ; squares: how
    many there are.
    """

    value: float
    error: float
    squares: int

    @property
    def least(self) -> float:
        """What the true mean surpasses: two standard errors below, more if squares are few."""
        return self.value - float(stats.t.ppf(SURE, self.squares - 1)) * self.error


def difference(
    model: base.Denoiser, other: base.Denoiser, images: Sequence[np.ndarray]
) -> Estimate:
    """How much lower a model's mean square error is than a blind one's, at least.

    If `least` is above 0, the model is better; else it is not known. Clipped pixels and areas of
    one value do not count. The same arguments give the same bits.

    Args:
        model: takes and gives values of the files, as calibrated ones do, divided by its white
            level if it has one.
        other: the same, trained by hidden pixels.
        images: noisy, (H, W, C) float32, in the values of the files; two squares of BLOCK or more.

    Returns:
        In squares of the values of the files.
    """
    sums, counts = [], []
    with progress.Progress(len(images) * STRIDE**2, "comparing", unit="round") as bar:
        for image in images:
            ours, theirs = _square_errors([model, other], model, image, bar)
            channels = [noise_curve.shows_noise(image[..., c]) for c in range(image.shape[-1])]
            seen = np.stack(channels, axis=-1)
            sums.append(_squares((theirs - ours) * seen))
            counts.append(_squares(seen))
    total, count = np.concatenate(sums), np.concatenate(counts)
    value = total.sum() / count.sum()
    scatter = (total - value * count).std(ddof=1) * len(total) ** 0.5
    return Estimate(float(value), float(scatter / count.sum()), len(total))


def _square_errors(models, guesser, image, bar):
    """For each model (H, W, C) float64: squares of restored minus noisy where it was hidden."""
    around = ndimage.convolve(image, AROUND.astype(np.float32), mode="mirror")
    errors = [np.empty(image.shape) for _ in models]
    for row, column in np.ndindex(STRIDE, STRIDE):
        hidden = np.s_[row::STRIDE, column::STRIDE]
        given = image.copy()
        given[hidden] = around[hidden]
        guess = _restored(guesser, given)[hidden]
        given[hidden] = guess + _exchanged(image[hidden] - guess, guess)
        for model, squares in zip(models, errors, strict=True):
            gap = _restored(model, given)[hidden] - image[hidden]
            squares[hidden] = np.square(gap, dtype=np.float64)
        bar.step()
    return errors


def _exchanged(noise, values):
    """(H, W, C) of noise, each from another pixel of similar value in the same channel."""
    flat = noise.reshape(-1, noise.shape[-1])
    order = np.argsort(values.reshape(flat.shape), axis=0, kind="stable")
    found = np.empty_like(flat)
    others = np.take_along_axis(flat, np.roll(order, APART, axis=0), axis=0)
    np.put_along_axis(found, order, others, axis=0)
    return found.reshape(noise.shape)


def _restored(model, image):
    """An image (H, W, C) restored, both in the values of the file."""
    white = np.float32(model.config.white_level or 1.0)
    return prediction.restore(model, {"noisy": image / white})["denoised"] * white


def _squares(one):
    """The sums over squares of BLOCK x BLOCK pixels of (H, W, C); rests are left out."""
    rows, columns = (side // BLOCK for side in one.shape[:2])
    inner = one[: rows * BLOCK, : columns * BLOCK].sum(axis=-1, dtype=np.float64)
    return inner.reshape(rows, BLOCK, columns, BLOCK).sum(axis=(1, 3)).ravel()
