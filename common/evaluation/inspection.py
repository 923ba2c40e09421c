"""Looks at noisy images as an expert would before a training without clean ones, in a line each."""

import numpy as np
from scipy import ndimage

MAX_PAGES = 64  # looked at, evenly spread
LAGS = 15  # pixels, how far noise is compared with itself
BLUR = 3.0  # pixels, of what is taken off to leave the noise
BLOCK = 32  # pixels; structure is told from noise by the calmest quarter of such squares
CORRELATED = 0.15  # of the variance; more is worth a word
BLOCKY = 1.1  # steps across the borders of JPEG's blocks over those inside
SATURATED = 1e-3  # of the pixels
FEW_VALUES = 64
SPARSE = 20  # mean of counts so low that 0 is a value like others
JPEG = "its blocks tie neighbouring pixels together, which breaks what blind spots rest on."
WILD = 4.0  # deviations of a page, between the brightest page's level and the darkest's


def report(image_set, paths=(), advise=lambda reaches: []):
    """Lines about the images of a training set; "Careful" begins those that ask for something.

    Args:
        image_set: datasets.ImageSet of (H, W, C) or (D, H, W, C) arrays as stored.
        paths: the files they come from, if any.
        advise: called with the (direction, pixels) over which noise is correlated; gives lines.
    """
    pages, names = _pages(image_set)
    lines = [_size(image_set)]
    lines += [_levels(pages)]
    lines += _saturation(pages)
    lines += _steps_between(pages, names)
    lines += _correlation(pages, advise)
    lines += _jpeg(pages, paths)
    return lines


def _pages(image_set):
    """(list of (H, W, C) arrays, their names), at most MAX_PAGES."""
    pages = []
    for name, image in zip(image_set.names, image_set.images):
        planes = image if image.ndim == 4 else [image]
        pages += [(plane, name) for plane in planes]
    chosen = np.unique(np.linspace(0, len(pages) - 1, MAX_PAGES).astype(int))
    return [pages[i][0] for i in chosen], [pages[i][1] for i in chosen]


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
    step = max(int(np.gcd.reduce(present - present[0])), 1)  # of 12 bits moved up by 4 it is 16
    used = max(int(high // step).bit_length(), 1)
    line += f"; {used} of {8 * pages[0].dtype.itemsize} bits in use"
    if len(present) < FEW_VALUES and step > 1:
        line += f". Careful: {len(present)} different values, {step} apart; noise is rounded away"
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
                f"{full}: clipped ones have lost their noise and come back too dark or too bright."
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
    """Pages whose level is another than the others'."""
    levels = np.array([float(p.mean()) for p in pages])
    spread = float(np.median([p.std() for p in pages]))
    low, high = levels.argmin(), levels.argmax()
    if len(pages) > 1 and levels[high] - levels[low] > WILD * spread:
        return [
            f"Careful: pages differ wildly in level, {names[low]} has a mean of {levels[low]:.4g}, "
            f"{names[high]} {levels[high]:.4g}; train on like ones, or scale them first."
        ]
    return []


def noise_correlation(page):
    """Correlation of a page's noise with itself, shifted by 1, 2, ... pixels.

    The noise is what a blur takes away, in the squares where that is least, so that no structure is
    in it; what white noise would show after the same blur is subtracted.

    Args:
        page: (H, W).

    Returns:
        (2, LAGS): down (along Y), and across (along X); 0 for white noise. NaN where the page is
        too small.
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
    # Where values are clipped there is less noise, and of another kind.
    clipped = (page == page.min()) | (page == page.max())
    squares = [(slice(r, r + BLOCK), slice(c, c + BLOCK)) for r, c in corners]
    blocks = [residual[s] for s in squares if clipped[s].mean() < SATURATED] or [residual]
    calmest = sorted(blocks, key=np.std)[: max(1, len(blocks) // 4)]
    found = sum(_products(block) for block in calmest)
    expected = _products(white)
    with np.errstate(invalid="ignore"):
        return (found / found[:, :1] - expected / expected[:, :1])[:, 1:]


def _products(block):
    """Mean of block * block shifted by 0, 1, .. LAGS, down and across."""
    return np.array(
        [
            [np.mean(b[lag:] * b[: len(b) - lag]) for lag in range(LAGS + 1)]
            for b in (block, block.T)
        ]
    )


def _correlation(pages, advise):
    found = [_mean_correlation([page[..., c] for page in pages]) for c in range(pages[0].shape[-1])]
    found = [values for values in found if values is not None]
    if not found:
        return [f"Noise: sides below {2 * BLOCK} pixels are too short to tell if it is correlated."]
    # The channel that shows most of it.
    down, across = max(found, key=lambda values: np.abs(values[:, 0]).max())
    lines, reaches = [], []
    # Beside noise in lines, which fills one axis, what is left of the other is no matter.
    limit = max(CORRELATED, max(abs(down[0]), abs(across[0])) / 4)
    for name, along, values in (("vertical", "Y", down), ("horizontal", "X", across)):
        if abs(values[0]) <= limit:
            continue
        reach = int(np.argmax(np.append(np.abs(values) <= CORRELATED, True)))
        reaches.append((name, reach))
        lines.append(
            f"Careful: the noise is correlated along {along}, by {values[0]:+.2f} with the next "
            f"pixel, over {reach} pixel{'s' * (reach > 1)}; a blind spot then is not blind."
        )
    if not lines:
        lines.append(
            f"Noise: not correlated between neighbours ({across[0]:+.2f} along X, {down[0]:+.2f} "
            "along Y)."
        )
    elif len(lines) == 2:
        lines.append(
            "Careful: correlated along both axes: resampled, demosaiced or compressed images are, "
            "or those with so little noise that their texture shows; go back to the raw data if "
            "there are any."
        )
    return lines + advise(reaches)


def _mean_correlation(planes):
    """Mean of `noise_correlation` over (H, W) arrays, None if all are too small."""
    found = [noise_correlation(plane) for plane in planes]
    return None if np.isnan(found).all() else np.nanmean(found, axis=0)


def _jpeg(pages, paths):
    """JPEG files, and the grid that compression leaves in others."""
    compressed = [path for path in paths if path.suffix.lower() in (".jpg", ".jpeg")]
    if compressed:
        return [
            f"Careful: {len(compressed)} of {len(paths)} files are JPEG, {compressed[0].name} for "
            f"one: {JPEG}"
        ]
    ratio = np.mean([_blockiness(page) for page in pages if min(page.shape[:2]) >= 64] or [1.0])
    if ratio > BLOCKY:
        return [
            f"Careful: steps every 8 pixels, {ratio:.2f} times those between, as of JPEG: {JPEG}"
        ]
    return []


def _blockiness(page):
    """Mean step across the borders of 8x8 blocks over the mean step elsewhere, the smaller axis."""
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(page[..., 0].astype(np.float64), axis=axis))
        steps = steps.mean(axis=1 - axis)
        inside = np.delete(steps, slice(7, None, 8)).mean()
        ratios.append(steps[7::8].mean() / inside if inside else 1.0)
    return min(ratios)
