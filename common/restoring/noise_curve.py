"""The deviation of the noise over the value, measured with the help of a denoiser.

Noisy values scatter around the restored ones less than around the clean ones, for a denoiser leaves
a part of the noise in its result. How large that part is, a second run tells: the images are
restored once more with noise of known strength added. The variance of the scatter, over the share
of the known noise's variance that was removed, is that of the noise. At outlines restored values
are wrong and scatter more, so two things bound that. The noise is no stronger than the finest
detail of the noisy image; noise that neighbours share, which has little of that, is measured too
weak. And where the restored image is steep beside its noise, what was measured is lowered towards
the line through the variances of the calmer values.

References: Foi, Trimeche, Katkovnik & Egiazarian, "Practical Poissonian-Gaussian noise modeling and
fitting for single-image raw-data", IEEE TIP 2008, for the scatter over a smooth estimate; Ramani,
Blu & Unser, "Monte-Carlo SURE", IEEE TIP 2008, for what a random probe tells of a denoiser.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

CALM = 0.5  # share of the pixels of a value, those with the least slopes, whose scatter counts
GROUP = 400  # pixels or more whose scatter is one deviation, and of the darker half
SHARE = 1 / 192  # of all pixels: a few of the darkest would tell of hardly any noise
CROWDED, SPACED = 48, 32  # groups into which their number and their range are divided
SMOOTH = 1.5  # of them: deviations are averaged by a Gaussian so wide
DETAIL = 1.2  # deviations of the finest detail; noise is no stronger
STEEP = 2.0  # pixels; where values change by the deviation within so many, it is half trusted
WILD = 4.0  # deviations; what lies further off is no noise
LEAST_REMOVED = 0.02  # of the known noise's variance; less can't be told from none
LEAST = 0.02  # of the largest deviation; less is taken for that
SATURATED = 1e-3  # share of an image's pixels that have its largest value; more may be saturated
FLOOR = 30  # times as many pixels have the least value as the next: they are cut off, not photons
FLAT = 9  # pixels a side; where so many are equal they are a mask


@dataclasses.dataclass(frozen=True)
class Curve:
    """The deviation of the noise over the value, of one channel.

    values, deviations: (G,) in the values of the images, the values rising.
    counts: (G,), pixels that each was measured with.
    """

    values: np.ndarray
    deviations: np.ndarray
    counts: np.ndarray

    def line(self) -> tuple[float, float]:
        """(gain, offset) of the line gain * value + offset through the variances."""
        return _line(self.values, self.deviations**2, self.counts)

    def at(self, values: np.ndarray) -> np.ndarray:
        """Deviations at rising values (K,); variances above the highest go on with the line's gain.

        Below the lowest the deviation stays: pixels have such values by their noise alone.
        """
        deviations = np.interp(values, self.values, self.deviations)
        beyond = np.maximum(values - self.values[-1], 0)
        variances = deviations**2 + self.line()[0] * beyond
        deviations = np.sqrt(np.maximum(variances, deviations**2 / 4))
        return np.maximum(deviations, LEAST * deviations.max())


def measure(
    noisy: Sequence[np.ndarray],
    restored: Sequence[np.ndarray],
    removed: Sequence[np.ndarray],
    shown: Sequence[np.ndarray],
) -> Curve:
    """The curve of one channel of some images.

    Only the calmest pixels of each value count, for at outlines restored values are wrong.

    Args:
        noisy: (H, W) in the values of the files.
        restored: the same, restored.
        removed: (H, W), squares of what was removed of known noise of deviation 1.
        shown: (H, W) bool, of `shows_noise`; if it is true of fewer than GROUP pixels, all count.
    """
    clean, slopes = _joined(restored), _joined([_slopes(image) for image in restored])
    squares, shares = np.square(_joined(noisy) - clean, dtype=np.float64), _joined(removed)
    details, counted = _joined([_squared_detail(image) for image in noisy]), _joined(shown)
    if counted.sum() >= GROUP:
        clean, slopes, squares, shares, details = (
            x[counted] for x in (clean, slopes, squares, shares, details)
        )
    groups = _measured_groups(clean, slopes, squares, shares, details)
    values, variances, square_slopes, counts = map(np.array, zip(*groups, strict=True))
    variances = np.maximum(variances, (1e-6 * max(np.ptp(clean), 1e-30)) ** 2)
    trust = variances / (variances + STEEP**2 * square_slopes)
    gain, offset = _line(values, variances, counts * trust)
    lowest = np.clip(gain * values + offset, variances.min(), variances)
    logarithms = np.log(trust * variances + (1 - trust) * lowest)
    logarithms = ndimage.gaussian_filter1d(logarithms, SMOOTH, mode="nearest")
    return Curve(values, np.exp(logarithms / 2), counts)


def _measured_groups(clean, slopes, squares, shares, details):
    """(value, variance of the noise, mean square slope, number of pixels) of each group."""
    for group in _groups(clean):
        calm = group[np.argsort(slopes[group])[: math.ceil(CALM * group.size)]]
        share = max(np.minimum(shares[calm], WILD**2).mean(), LEAST_REMOVED)
        variance = min(_variance(squares[calm]) / share, DETAIL**2 * _variance(details[calm]))
        value = clean[calm].mean(dtype=np.float64)
        yield value, variance, np.square(slopes[calm]).mean(), calm.size


def _line(values, variances, weights):
    """(gain, offset) of the line gain * value + offset through variances."""
    if len(values) < 3 or np.ptp(values) == 0:
        return 0.0, float(np.average(variances, weights=weights))
    unit = variances.max()  # of values of any scale
    sure = np.sqrt(weights) * (unit / variances)
    gain, offset = np.polyfit(values, variances / unit, 1, w=sure)
    return float(gain * unit), float(offset * unit)


def _joined(images: Sequence[np.ndarray]) -> np.ndarray:
    """The pixels of images, one after the other."""
    return np.concatenate([image.ravel() for image in images])


def shows_noise(image: np.ndarray) -> np.ndarray:
    """Which pixels (H, W) of a channel are neither `clipped` nor `masked`."""
    return ~(clipped(image) | masked(image))


def clipped(image: np.ndarray) -> np.ndarray:
    """Which pixels (H, W) of a channel have its largest or least value because they are cut off.

    Counts of few photons have a largest value too, but fewer pixels than the next one, and many
    zeros, but not so much more than ones. Pixels of `masked` areas do not count.
    """
    inside = image[~masked(image)]
    if not inside.size:
        return np.zeros(image.shape, bool)
    bright = _end(image, inside, inside.max(), 1)
    return bright | _end(image, inside, inside.min(), FLOOR)


def _end(image, inside, end, factor):
    """Which pixels of an image have a value, if more than so many times those of the next have."""
    others = inside[inside != end]
    if not others.size or (inside == end).mean() < SATURATED:
        return np.zeros(image.shape, bool)
    nearest = others[np.argmin(np.abs(others - end))]
    if (inside == end).sum() <= factor * (others == nearest).sum():
        return np.zeros(image.shape, bool)
    return image == end


def masked(image: np.ndarray) -> np.ndarray:
    """Which pixels (H, W) of a channel lie in areas of one value, FLAT pixels or more a side."""
    constant = ndimage.maximum_filter(image, FLAT) == ndimage.minimum_filter(image, FLAT)
    return ndimage.maximum_filter(constant, FLAT)


def _slopes(image):
    """Slopes of an image (H, W), of which single pixels say little."""
    image = np.asarray(image, np.float64)
    down, across = (ndimage.gaussian_filter(image, 1.0, order=order) for order in ((1, 0), (0, 1)))
    return np.hypot(down, across)


def _squared_detail(image):
    """Squares of the finest diagonal detail of an image (H, W).

    Ramps and upright or level edges have none, slanting edges and points do; the mean of that of
    white noise is its variance.
    """
    detail = image[:-1, :-1] - image[1:, :-1] - image[:-1, 1:] + image[1:, 1:]
    detail = np.square(detail, dtype=np.float64) / 4
    around = np.pad(detail, 1, mode="edge")
    return (around[1:, 1:] + around[:-1, 1:] + around[1:, :-1] + around[:-1, :-1]) / 4


def _variance(squares):
    """The mean of squares, without those that are no noise."""
    variance = squares.mean()
    for _ in range(3):
        inside = squares[squares < WILD**2 * variance]
        variance = inside.mean() if inside.size else variance
    return variance


def _groups(values):
    """Indices of similar values, in rising order, GROUP or more in each, SHARE in the darker half.

    They divide the values by their number, and by their range too, so that few bright ones do not
    become one group.
    """
    order = np.argsort(values)
    ordered = values[order]
    grid = np.linspace(ordered[0], ordered[-1], SPACED + 1)[1:-1]
    evenly = np.linspace(0, values.size, CROWDED + 1).astype(int)[1:-1]
    cuts = [0]
    for cut in sorted({*evenly, *np.searchsorted(ordered, grid)}):
        is_dark = cut < values.size / 2
        least = max(GROUP, SHARE * values.size) if is_dark else GROUP
        if cut - cuts[-1] >= least and values.size - cut >= GROUP:
            cuts.append(cut)
    return np.split(order, cuts[1:])
