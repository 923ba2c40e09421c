"""Calibration: a model of Gaussian noise restores images whose noise nobody described.

Microscopes and sensors give noise that grows with the signal, in counts of their own. A rising,
piecewise linear transform f of the values makes that noise equally strong everywhere, as the
trained denoiser D knows it; back(D(f(noisy))) restores the images. f is found from the noisy images
alone, in a few passes. Each restores them by the transform so far, and measures how strongly the
noisy values scatter around the restored ones, value by value, where the restored image is calm. If
sigma(v) is that deviation, f' = 1 / sigma makes it one (the delta method). f brings the restored
images' range to [0, 1]. `back` inverts not f but the mean of f(v + sigma(v) n), n normal: so it
gives means. The noise must be independent between pixels.

References: Foi, Trimeche, Katkovnik & Egiazarian, "Practical Poissonian-Gaussian noise modeling and
fitting for single-image raw-data", IEEE TIP 2008, for the scatter over a smooth estimate; Mäkitalo
& Foi, "Optimal inversion of the generalized Anscombe transformation", IEEE TIP 2013, for the exact
unbiased inverse. Herbreteau & Unser's Noise2VST (ICCV 2025) has the same f, trained by the error of
hidden pixels: slower, and further from the oracle (RESULTS.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from common import progress
from common.files import pixels
from common.networks import base
from common.restoring import calibrated_model, prediction

LEAST_RISE = 1e-6  # of the tables from knot to knot
PASSES = 3  # of restoring and measuring
MAX_PIXELS = 2**20  # that are looked at; more say nothing new
MIN_PIXELS = 64**2
MIN_SIDE = 32  # of images to learn from
RANGE = (1e-4, 1 - 1e-4)  # quantiles of the noisy values that the knots cover, and of the restored
BULK = (0.01, 0.99)  # quantiles of the noisy values: the first guess of the restored ones' range
CALM = 0.5  # share of the pixels of a value, those with the least slopes, whose scatter counts
GROUP = 400  # pixels or more whose scatter is one deviation, and
SHARE = 1 / 192  # of all pixels: a few of the darkest would tell of hardly any noise
CROWDED, SPACED = 48, 32  # groups into which their number and their range are divided
SMOOTH = 1.5  # of them: deviations are averaged by a Gaussian so wide
WILD = 4.0  # deviations; what lies further off is no noise
SATURATED = 1e-3  # share of an image's pixels that have its largest value; more are left out
LEAST = 0.02  # of the largest deviation; less is taken for that
CLEAN = 0.002  # of the restored range; noise below half a grey value of 255 is taken for that
UNEQUAL = 2.0  # factor by which the noise of channels may differ; more is not made equal
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)  # for the mean over normal n
GAUSSIAN = WEIGHTS / WEIGHTS.sum()


def calibrate(denoiser: base.Denoiser, images: Sequence[np.ndarray]) -> calibrated_model.Calibrated:
    """Find the transform for noisy images of one acquisition.

    The same images give the same bits. Takes as long as restoring them PASSES times.

    Args:
        denoiser: see `calibrated_model.refusal`.
        images: noisy, (H, W, C) in the values of the files; about 250,000 pixels are enough, and of
            more than MAX_PIXELS the middles count. Those with a side below MIN_SIDE do not count.

    Raises:
        ValueError: the denoiser can't be calibrated, too few pixels, or all of them are equal.
    """
    if why := calibrated_model.refusal(denoiser):
        raise ValueError(why)
    images = [image for image in images if min(image.shape[:2]) >= MIN_SIDE]
    if sum(image.shape[0] * image.shape[1] for image in images) < MIN_PIXELS:
        raise ValueError(
            f"calibrate: {MIN_PIXELS} pixels or more are needed, 64x64, in images of {MIN_SIDE} "
            "or more a side."
        )
    side = max(MIN_SIDE, math.isqrt(MAX_PIXELS // len(images)))
    images = [np.asarray(pixels.centre(image, side), np.float32) for image in images]
    values = np.concatenate([image.reshape(-1, image.shape[-1]) for image in images])
    low, high = (float(q) for q in np.quantile(values, RANGE))
    if high <= low:
        raise ValueError("calibrate: nearly all values are equal; there is nothing to learn from.")
    model = calibrated_model.Calibrated(denoiser, low, high)
    knots = np.linspace(low, high, calibrated_model.KNOTS)
    first, last = np.quantile(values, BULK)
    reach = (first, last) if first < last else (low, high)
    deviations = np.full((values.shape[-1], calibrated_model.KNOTS), (high - low) / 10)
    with progress.Progress(PASSES * len(images), "calibrating", unit="image") as bar:
        for _ in range(PASSES):
            _transform(model, knots, deviations, reach, images)
            restored = []
            for image in images:
                restored.append(prediction.restore(model, {"noisy": image})["denoised"])
                bar.step()
            deviations = np.stack(
                [_scatter(images, restored, c, knots) for c in range(values.shape[-1])]
            )
            clean = np.concatenate([image.ravel() for image in restored])
            first, last = np.quantile(clean, RANGE)
            reach = (first, last) if first < last else reach
        _transform(model, knots, deviations, reach, images)
    return model


def _transform(model, knots, deviations, reach, images):
    """Give a model the transform of deviations (C, K) of the noise at its knots.

    reach: values of the file that become 0 and 1, where the noise is not stronger than the denoiser
        knows it; stronger noise is made as weak, around the middle.
    """
    spacing = knots[1] - knots[0]
    slopes = 1 / np.maximum(deviations, CLEAN * (reach[1] - reach[0]))
    rises = np.cumsum((slopes[:, 1:] + slopes[:, :-1]) / 2, axis=1) * spacing
    table = np.concatenate([np.zeros_like(rises[:, :1]), rises], axis=1)
    first, last = (np.array([np.interp(v, knots, row) for row in table]) for v in reach)
    # One level for all channels: those with stronger noise reach less far, but not much less for
    # the sake of one that has hardly any.
    spans = last - first
    factors = np.minimum(1.0, UNEQUAL * spans.min() / spans)
    level = 1 / (factors * spans).max()
    noise = model.config.noise
    # Nobody knows how strong the noise was in pairs of one's own.
    share = 1.0 if noise.is_none else min(1.0, noise.high / 255 / level)
    forward = 0.5 + share * ((table - first[:, None]) * factors[:, None] * level - 0.5)
    means = [
        sum(
            weight * _extended(knots + node * sigma, knots, row)
            for node, weight in zip(NODES, GAUSSIAN, strict=True)
        )
        for sigma, row in zip(deviations, forward, strict=True)
    ]
    model.set_tables(_rising(forward), _rising(np.array(means)), share * level)
    if model.inner.takes_level:  # as the denoiser sees it: what it can't predict is noise to it
        model.level.assign([_found(model, images)])


def _extended(values, knots, table):
    """A table at values, straight on beyond its knots."""
    inside = np.clip(values, knots[0], knots[-1])
    slope = np.where(values < knots[0], table[1] - table[0], table[-1] - table[-2])
    return np.interp(inside, knots, table) + (values - inside) * slope / (knots[1] - knots[0])


def _rising(table):
    """The table with rises of LEAST_RISE or more."""
    rises = np.maximum(np.diff(table, axis=1), LEAST_RISE)
    return table[:, :1] + np.concatenate([np.zeros_like(rises[:, :1]), rises.cumsum(1)], axis=1)


def _found(model, images):
    """The median of the levels that the denoiser inside finds in some transformed images."""
    chosen = np.unique(np.linspace(0, len(images) - 1, 4).round().astype(int))
    stable = [np.asarray(model.forward(images[i][None]))[0] for i in chosen]
    return float(np.median([model.inner.find_level(image) for image in stable]))


def _scatter(noisy, restored, channel, knots):
    """Deviations of a channel's noise at the knots: of noisy values around the restored ones.

    Only the calmest pixels of each value count, for at outlines the error of restoring does, too;
    and none that is saturated.
    """
    clean, squares, slopes, kept = [], [], [], []
    for image, estimate in zip(noisy, restored, strict=True):
        values, estimate = image[..., channel], estimate[..., channel]
        clean.append(estimate.ravel())
        squares.append(np.square(values - estimate, dtype=np.float64).ravel())
        down, across = (
            ndimage.gaussian_filter(estimate, 1.0, order=order) for order in ((1, 0), (0, 1))
        )
        slopes.append(np.hypot(down, across).ravel())
        full = values == values.max()
        kept.append(np.ravel(~full | (full.mean() < SATURATED)))
    clean, squares, slopes, kept = map(np.concatenate, (clean, squares, slopes, kept))
    if kept.sum() >= GROUP:
        clean, squares, slopes = clean[kept], squares[kept], slopes[kept]
    centres, variances = [], []
    for group in _groups(clean):
        calm = group[np.argsort(slopes[group])[: math.ceil(CALM * group.size)]]
        scatter = squares[calm]
        variance = scatter.mean()
        for _ in range(3):
            inside = scatter[scatter < WILD**2 * variance]
            variance = inside.mean() if inside.size else variance
        centres.append(clean[calm].mean())
        variances.append(variance)
    logarithms = np.log(np.maximum(variances, (LEAST_RISE * (knots[-1] - knots[0])) ** 2))
    deviations = np.exp(0.5 * ndimage.gaussian_filter1d(logarithms, SMOOTH, mode="nearest"))
    at_knots = np.interp(knots, centres, deviations)
    return np.maximum(at_knots, LEAST * at_knots.max())


def _groups(values):
    """Indices of similar values, in rising order: GROUP or more in each, and SHARE of all.

    They divide the values by their number, and by their range too, so that few bright ones do not
    become one group.
    """
    order = np.argsort(values)
    ordered = values[order]
    grid = np.linspace(ordered[0], ordered[-1], SPACED + 1)[1:-1]
    evenly = np.linspace(0, values.size, CROWDED + 1).astype(int)[1:-1]
    least, cuts = max(GROUP, int(SHARE * values.size)), [0]
    for cut in sorted({*evenly, *np.searchsorted(ordered, grid)}):
        if min(cut - cuts[-1], values.size - cut) >= least:
            cuts.append(cut)
    return np.split(order, cuts[1:])
