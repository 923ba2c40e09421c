"""Calibration: a model of Gaussian noise restores images whose noise nobody described.

Microscopes and sensors give noise that grows with the signal, in counts of their own. A rising,
piecewise linear transform f of the values makes that noise equally strong everywhere, as the
trained denoiser D knows it; back(D(f(noisy))) restores the images. f is found from the noisy images
alone, in a few passes. Each restores them by the transform so far, and measures the noise, value by
value (noise_curve). If sigma(v) is its deviation, f' = 1 / sigma makes it one (the delta method),
with the largest sigma of the values around, for their noise reaches there: what Anscombe's
transform does for few photons by adding 3/8. f brings the restored images' range to [0, 1]. `back`
inverts not f but the mean of f(v + sigma(v) n), n normal: so it gives means. The noise must be
independent between pixels.

References: Mäkitalo & Foi, "Optimal inversion of the generalized Anscombe transformation", IEEE TIP
2013, for the exact unbiased inverse. Herbreteau & Unser's Noise2VST (ICCV 2025) has the same f,
found by training; it was tried, see RESULTS.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from common import progress
from common.files import pixels
from common.networks import base
from common.restoring import calibrated_model, noise_curve, prediction

LEAST_RISE = 1e-6  # of the tables from knot to knot
PASSES = 3  # of restoring and measuring
PROBE = 0.3  # deviation of the known noise that is added, in those of the noise
MAX_PIXELS = 2**19  # that are looked at; more say nothing new
MIN_PIXELS = 64**2
MIN_SIDE = 32  # of images to measure
RANGE = (1e-4, 1 - 1e-4)  # quantiles of the noisy values that the knots cover
ENDS = (1e-4, 0.1, 0.9, 1 - 1e-4)  # quantiles of the restored values that decide on their range
ENDS_OF_NOISY = (0.01, 0.1, 0.9, 0.99)  # the first guess of them
MARGIN = 0.1  # of the range; so far from its ends lie the inner two, for black hides what is dark
CLEAN = 0.002  # of the restored range; noise below half a grey value of 255 is taken for that
WEAKEST = 3 / 255  # of the range behind f; weaker noise is taken for that, to divide less by it
FLOORS = 32  # strengths from CLEAN to WEAKEST that are tried, a factor of 1.06 apart
FALL = 0.4  # of deviations over the distance of values; more would be too steep for the noise
UNEQUAL = 2.0  # factor by which the noise of channels may differ; more is not made equal
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)  # for the mean over normal n
GAUSSIAN = WEIGHTS / WEIGHTS.sum()


def calibrate(
    denoiser: base.Denoiser, images: Sequence[np.ndarray], *, max_pixels: int = MAX_PIXELS
) -> calibrated_model.Calibrated:
    """Find the transform for noisy images of one acquisition.

    The same images give the same bits. Takes as long as restoring them 2 * PASSES times, and for a
    model that finds its noise as long as that takes besides.

    Args:
        denoiser: see `calibrated_model.refusal`.
        images: noisy, (H, W, C), finite, in the values of the files; about 250,000 pixels are
            enough, and of more than max_pixels the middles count. Those with a side below MIN_SIDE
            do not count.
        max_pixels: that memory allows; never more than MAX_PIXELS are looked at.

    Raises:
        ValueError: the denoiser can't be calibrated, NaN or infinite values, too few pixels, or all
            of them are equal.
    """
    if why := calibrated_model.refusal(denoiser):
        raise ValueError(why)
    images = middles(images, max_pixels)
    values = np.concatenate([image.reshape(-1, image.shape[-1]) for image in images])
    if not np.isfinite(values).all():
        raise ValueError("calibrate: NaN or infinite values.")
    low, high = _range(images)
    if high <= low:
        raise ValueError("calibrate: nearly all values are equal; there is nothing to measure.")
    model = calibrated_model.Calibrated(denoiser, low, high)
    knots = np.linspace(low, high, calibrated_model.KNOTS)
    ends = _ends(values, ENDS_OF_NOISY, (low, high))
    deviations = np.full((values.shape[-1], calibrated_model.KNOTS), (high - low) / 10)
    shown = [_each_channel(noise_curve.shows_noise, image) for image in images]
    with progress.Progress(PASSES * len(images), "calibrating", unit="image") as bar:
        for _ in range(PASSES):
            _transform(model, knots, deviations, ends, images)
            restored, removed = [], []
            for image, rng in zip(images, np.random.default_rng(0).spawn(len(images)), strict=True):
                result, share = _restore_twice(model, image, knots, deviations, rng)
                restored.append(result)
                removed.append(share)
                bar.step()
            seen = images, restored, removed, shown
            model.curves = [
                noise_curve.measure(*([image[..., c] for image in of_one] for of_one in seen))
                for c in range(values.shape[-1])
            ]
            deviations = np.stack([curve.at(knots) for curve in model.curves])
            ends = _ends(np.concatenate([x.ravel() for x in restored]), ENDS, (low, high))
        _transform(model, knots, deviations, ends, images)
    return model


def middles(images: Sequence[np.ndarray], max_pixels: int = MAX_PIXELS) -> list[np.ndarray]:
    """The middles of images (H, W, C) that are large enough, float32: what `calibrate` looks at.

    Args:
        images: in the values of the files.
        max_pixels: about how many they have in all; never more than MAX_PIXELS.

    Raises:
        ValueError: too few pixels.
    """
    images = [image for image in images if min(image.shape[:2]) >= MIN_SIDE]
    if sum(image.shape[0] * image.shape[1] for image in images) < MIN_PIXELS:
        raise ValueError(
            f"calibrate: {MIN_PIXELS} pixels or more are needed, 64x64, in images of {MIN_SIDE} "
            "or more a side."
        )
    side = max(MIN_SIDE, math.isqrt(min(max_pixels, MAX_PIXELS) // len(images)))
    return [np.asarray(pixels.centre(image, side), np.float32) for image in images]


def _each_channel(function, image):
    """A function of (H, W), of each channel of (H, W, C)."""
    return np.stack([function(image[..., c]) for c in range(image.shape[-1])], axis=-1)


def _range(images):
    """Quantiles RANGE of the values of images, without hot and dead pixels, which stand alone."""
    ends = []
    for rank, quantile in zip((2, -3), RANGE, strict=True):  # the third of nine neighbours
        ranked = [ndimage.rank_filter(image, rank, size=(3, 3, 1)).ravel() for image in images]
        ends.append(float(np.quantile(np.concatenate(ranked), quantile)))
    return ends


def _ends(values, quantiles, knots):
    """Quantiles of values between two knots; those themselves if they are all equal."""
    ends = np.clip(np.quantile(values, quantiles), *knots)
    return ends if ends[0] < ends[-1] else np.repeat(knots, 2)


def _restore_twice(model, image, knots, deviations, rng):
    """(restored image, square of what was removed of added noise of deviation 1), as (H, W, C)."""
    restored = prediction.restore(model, {"noisy": image})["denoised"]
    strength = [np.interp(restored[..., c], knots, row) for c, row in enumerate(deviations)]
    strength = np.float32(PROBE) * np.stack(strength, axis=-1).astype(np.float32)
    probe = rng.choice(np.float32([-1, 1]), image.shape)
    again = prediction.restore(model, {"noisy": image + strength * probe})["denoised"]
    return restored, np.square(probe - (again - restored) / strength)


def _transform(model, knots, deviations, ends, images):
    """Give a model the transform that makes noise of some deviations equally strong.

    Args:
        model: the Calibrated to change.
        knots: (K,), values of the file.
        deviations: (C, K) of the noise there.
        ends: four values of the file, see ENDS. The first and last become 0 and 1, or lie inside,
            so that the others keep MARGIN from there. Where the noise would be stronger than the
            denoiser knows it, it is made as weak, around the middle.
        images: noisy; for denoisers that must be told how strong the noise is behind f.
    """
    spacing = knots[1] - knots[0]
    # Noisy values near a knot come from clean ones around it, whose noise counts there too.
    distances = np.abs(knots[:, None] - knots)
    around = (deviations[:, None] - FALL * distances).max(axis=-1)
    slopes = _steepness(knots, around, ends)
    rises = np.cumsum((slopes[:, 1:] + slopes[:, :-1]) / 2, axis=1) * spacing
    table = np.concatenate([np.zeros_like(rises[:, :1]), rises], axis=1)
    first, dark, bright, last = np.array([np.interp(ends, knots, row) for row in table]).T
    margin = MARGIN * (last - first)
    first, last = np.minimum(first, dark - margin), np.maximum(last, bright + margin)
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
        model.level.assign([_level_inside(model, images)])


def _steepness(knots, deviations, ends):
    """Slopes of f at the knots, (C, K): 1 / deviation, but less where all noise is weak.

    A model takes weak detail for noise, and its errors grow where f is flat beside the rest. So the
    least deviations are raised until the restored values reach over 1 / WEAKEST deviations or less.

    Args:
        knots: (K,), values of the file.
        deviations: (C, K) of the noise there.
        ends: the restored values lie between the first and the last.
    """
    reach = ends[-1] - ends[0]
    floors = np.geomspace(CLEAN, WEAKEST, FLOORS) * reach
    slopes = 1 / np.maximum(deviations, floors[:, None, None])
    inside = (ends[0] <= knots) & (knots <= ends[-1])
    means = slopes[..., inside if inside.any() else slice(None)].mean(axis=-1)
    too_far = means * reach > 1 / WEAKEST
    return slopes[np.minimum(too_far.sum(axis=0), FLOORS - 1), np.arange(len(deviations))]


def _extended(values, knots, table):
    """A table at values, straight on beyond its knots."""
    inside = np.clip(values, knots[0], knots[-1])
    slope = np.where(values < knots[0], table[1] - table[0], table[-1] - table[-2])
    return np.interp(inside, knots, table) + (values - inside) * slope / (knots[1] - knots[0])


def _rising(table):
    """The table with rises of LEAST_RISE or more."""
    rises = np.maximum(np.diff(table, axis=1), LEAST_RISE)
    return table[:, :1] + np.concatenate([np.zeros_like(rises[:, :1]), rises.cumsum(1)], axis=1)


def _level_inside(model, images):
    """The median of the levels that the denoiser inside finds in some transformed images."""
    chosen = np.unique(np.linspace(0, len(images) - 1, 4).round().astype(int))
    stable = [np.asarray(model.stable(images[i][None])["noisy"])[0] for i in chosen]
    return float(np.median([model.inner.find_level(image) for image in stable]))
