"""A check of noisy images before a training without clean ones: levels, range, noise, JPEG."""

from __future__ import annotations

import collections
import pathlib
from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from common.data.image_sets import ImageSet

MAX_PAGES = 64  # pages that are examined, evenly spread over the set
LAGS = 15  # pixels; largest shift at which the noise is compared with itself
BLUR = 3.0  # pixels; sigma of the blurred image that is subtracted to leave the noise
BLOCK = 32  # pixels; noise is measured in the calmest quarter of such squares
CORRELATED = 0.15  # share of the variance; more is reported
BLOCKY = 1.1  # steps across the borders of JPEG's blocks over those inside; more is reported
SATURATED = 1e-3  # share of the pixels; more is reported
FEW_VALUES = 64  # fewer different values are reported
SPARSE = 20  # mean of counts; below it, many pixels are 0 without being clipped
JPEG = (
    "its blocks make the noise of neighbouring pixels depend on each other, but training without "
    "clean images needs independent noise."
)
WILD = 4.0  # levels of two pages that differ by more deviations of a page are reported


def report(
    image_set: ImageSet,
    paths: Sequence[pathlib.Path] = (),
    advise: Callable[[list[tuple[str, int]]], list[str]] = lambda reaches: [],
) -> list[str]:
    """Describe the images of a training set, in lines for the user.

    "Careful" begins a line about something that the user should look at or change.

    Args:
        image_set: (H, W, C) or (D, H, W, C) arrays as stored.
        paths: the files they come from, if there are any.
        advise: called with the ("vertical" or "horizontal", pixels) over which the noise is
            correlated; returns lines of advice.
    """
    lines = []
    types = collections.Counter(str(image.dtype) for image in image_set.images)
    if len(types) > 1:
        usual = types.most_common(1)[0][0]
        counts = ", ".join(f"{count} {name}" for name, count in types.most_common())
        lines.append(
            f"Careful: files of several types ({counts}), whose values stand for different "
            f"brightness; what follows is about those of {usual}."
        )
        image_set = image_set.only(lambda image: str(image.dtype) == usual)
    pages, names = _pages(image_set)
    lines += [_size(image_set)]
    lines += [_levels(pages)]
    lines += _saturation(pages)
    lines += _steps_between(pages, names)
    lines += _correlation(pages, advise)
    lines += _jpeg(pages, paths)
    return lines


def _pages(image_set):
    """At most MAX_PAGES pages: (list of (H, W, C) arrays, their names)."""
    pages = []
    for name, image in zip(image_set.names, image_set.images):
        planes = image if image.ndim == 4 else [image]
        pages += [(plane, name) for plane in planes]
    numbers = np.unique(np.linspace(0, len(pages) - 1, MAX_PAGES).astype(int))
    return [pages[i][0] for i in numbers], [pages[i][1] for i in numbers]


def _size(image_set):
    shapes = sorted({image.shape for image in image_set.images})
    shown = ", ".join("x".join(map(str, shape[:-1])) for shape in shapes[:3])
    more = f" and {len(shapes) - 3} other sizes" if len(shapes) > 3 else ""
    channels = shapes[0][-1]
    return (
        f"Data: {len(image_set)} images of {shown}{more} pixels, {channels} "
        f"channel{'s' * (channels > 1)}, {image_set.images[0].dtype}."
    )


def _levels(pages):
    low, high = min(p.min() for p in pages), max(p.max() for p in pages)
    mean = _mean(pages)
    std = np.mean([p.std() for p in pages])
    line = f"Values from {low:g} to {high:g}, mean {mean:.4g}, deviation {std:.4g}"
    if not np.issubdtype(pages[0].dtype, np.integer):
        return line + "."
    present = np.flatnonzero(sum(np.bincount(p.ravel(), minlength=int(high) + 1) for p in pages))
    step = max(int(np.gcd.reduce(present - present[0])), 1)  # 16 for 12 bits stored 4 bits higher
    used = max(int(high // step).bit_length(), 1)
    line += f"; {used} of {8 * pages[0].dtype.itemsize} bits in use"
    if len(present) < FEW_VALUES and step > 1:
        line += f". Careful: {len(present)} different values, {step} apart; rounding removed noise"
    return line + "."


def _saturation(pages):
    lines = []
    top = np.iinfo(pages[0].dtype).max if pages[0].dtype.kind in "ui" else None
    high, low = max(p.max() for p in pages), min(p.min() for p in pages)
    for value, name in ((high, "largest"), (low, "smallest")):
        share = np.mean([np.mean(p == value) for p in pages])
        counted = value == low == 0 and pages[0].dtype.kind == "u" and _mean(pages) < SPARSE
        if share > SATURATED and high > low and not counted:
            full = ", the most that the type holds" if value == top else ""
            lines.append(
                f"Careful: {100 * share:.3g} % of the pixels have the {name} value, {value:g}"
                f"{full}: clipped pixels have lost their noise, so they are restored too dark or "
                "too bright."
            )
    flat = np.mean([_flat_share(page) for page in pages])
    if flat > 0.01:
        lines.append(
            f"Careful: {100 * flat:.3g} % of the area is constant, in squares of 8x8; there is no "
            "noise to learn from. Cut such borders off."
        )
    return lines


def _mean(pages):
    return np.mean([page.mean() for page in pages])


def _flat_share(page):
    height, width = (n // 8 * 8 for n in page.shape[:2])
    if 0 in (height, width):
        return 0.0
    squares = page[:height, :width, 0].reshape(height // 8, 8, width // 8, 8)
    return float(np.mean(squares.max(axis=(1, 3)) == squares.min(axis=(1, 3))))


def _steps_between(pages, names):
    """A line if the levels of the pages differ too much."""
    levels = np.array([float(p.mean()) for p in pages])
    spread = float(np.median([p.std() for p in pages]))
    low, high = levels.argmin(), levels.argmax()
    if len(pages) > 1 and levels[high] - levels[low] > WILD * spread:
        return [
            f"Careful: pages differ wildly in level: {names[low]} has a mean of {levels[low]:.4g}, "
            f"{names[high]} of {levels[high]:.4g}; train on similar pages, or scale them first."
        ]
    return []


def noise_correlation(page: np.ndarray) -> np.ndarray:
    """Correlation of a page's noise with itself, shifted by 1, 2, ..., LAGS pixels.

    The page minus its blurred version is taken for the noise. Only the calmest squares count, for
    others may hold structure. Subtracting the blurred version correlates even white noise; that
    part is known, and subtracted.

    Args:
        page: (H, W).

    Returns:
        (2, LAGS): down (along Y) and across (along X); 0 for white noise. NaN if the page is too
        small.
    """
    page = np.asarray(page, np.float64)
    if min(page.shape) < 2 * BLOCK:
        return np.full((2, LAGS), np.nan)
    residual = page - ndimage.gaussian_filter(page, BLUR)
    delta = np.zeros((8 * LAGS + 1,) * 2)
    delta[4 * LAGS, 4 * LAGS] = 1
    white = delta - ndimage.gaussian_filter(delta, BLUR)
    rows, columns = (n // BLOCK for n in page.shape)
    corners = [(r * BLOCK, c * BLOCK) for r in range(rows) for c in range(columns)]
    # Clipped pixels have less noise, and of another kind.
    clipped = (page == page.min()) | (page == page.max())
    squares = [(slice(r, r + BLOCK), slice(c, c + BLOCK)) for r, c in corners]
    blocks = [residual[s] for s in squares if clipped[s].mean() < SATURATED] or [residual]
    calmest = sorted(blocks, key=np.std)[: max(1, len(blocks) // 4)]
    measured = sum(_products(block) for block in calmest)
    expected = _products(white)
    with np.errstate(invalid="ignore"):
        return (measured / measured[:, :1] - expected / expected[:, :1])[:, 1:]


def _products(block):
    """Mean of a block times itself, shifted by 0, 1, ..., LAGS pixels, down and across."""
    return np.array(
        [
            [np.mean(b[lag:] * b[: len(b) - lag]) for lag in range(LAGS + 1)]
            for b in (block, block.T)
        ]
    )


def _correlation(pages, advise):
    channels = range(pages[0].shape[-1])
    correlations = [_mean_correlation([page[..., c] for page in pages]) for c in channels]
    correlations = [values for values in correlations if values is not None]
    if not correlations:
        return [f"Noise: sides below {2 * BLOCK} pixels are too short to tell if it is correlated."]
    # The channel with the strongest correlation.
    down, across = max(correlations, key=lambda values: np.abs(values[:, 0]).max())
    lines, reaches = [], []
    # Noise in lines is strongly correlated along one axis; the little along the other is ignored.
    limit = max(CORRELATED, max(abs(down[0]), abs(across[0])) / 4)
    for name, along, values in (("vertical", "Y", down), ("horizontal", "X", across)):
        if abs(values[0]) <= limit:
            continue
        reach = int(np.argmax(np.append(np.abs(values) <= CORRELATED, True)))
        reaches.append((name, reach))
        lines.append(
            f"Careful: the noise is correlated along {along}, by {values[0]:+.2f} with the next "
            f"pixel, over {reach} pixel{'s' * (reach > 1)}; a network can guess it from neighbours."
        )
    if not lines:
        lines.append(
            f"Noise: not correlated between neighbours ({across[0]:+.2f} along X, {down[0]:+.2f} "
            "along Y)."
        )
    elif len(lines) == 2:
        lines.append(
            "Careful: correlated along both axes, as in images that were resampled, demosaiced or "
            "compressed, or that have so little noise that their texture shows; use the raw data "
            "if there are any."
        )
    return lines + advise(reaches)


def _mean_correlation(planes):
    """Mean of `noise_correlation` over (H, W) arrays, None if all are too small."""
    correlations = [noise_correlation(plane) for plane in planes]
    return None if np.isnan(correlations).all() else np.nanmean(correlations, axis=0)


def _jpeg(pages, paths):
    """A line about JPEG files, or about the grid of blocks that JPEG left in other files."""
    compressed = [path for path in paths if path.suffix.lower() in (".jpg", ".jpeg")]
    if compressed:
        return [
            f"Careful: {len(compressed)} of {len(paths)} files are JPEG, {compressed[0].name} for "
            f"instance: {JPEG}"
        ]
    ratio = np.mean([_blockiness(page) for page in pages if min(page.shape[:2]) >= 64] or [1.0])
    if ratio > BLOCKY:
        return [
            f"Careful: steps every 8 pixels are {ratio:.2f} times those between, as in JPEG files: "
            f"{JPEG}"
        ]
    return []


def _blockiness(page):
    """Mean step across the borders of 8x8 blocks over the mean step elsewhere; the smaller axis."""
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(page[..., 0].astype(np.float64), axis=axis))
        steps = steps.mean(axis=1 - axis)
        inside = np.delete(steps, slice(7, None, 8)).mean()
        ratios.append(steps[7::8].mean() / inside if inside else 1.0)
    return min(ratios)
