"""Restores an image of any size: whole where memory allows, in blended tiles where not."""

import numpy as np

from common import unet

MAX_PIXELS = 2**19  # of a tile; the widest layers of SSDN then take about 3 GB in float32
OVERLAP = 128  # pixels that neighbouring tiles share


def restore(denoiser, inputs, *, max_pixels=MAX_PIXELS):
    """Restores one image.

    Args:
        denoiser: `denoiser.Denoiser`.
        inputs: dict with `noisy`, (H, W, C) float32 in [0, 1] but for noise; `noise_level`, as
            `noise.draw_level` gives it, unless it is the trained one or the model needs none; what
            else a method asks for.
        max_pixels: larger images are cut into overlapping tiles, blended linearly, unless the
            denoiser wants them whole.

    Returns:
        dict of float32 arrays (H or 1, W or 1, ...): `denoised`, and what else the method gives.
    """
    noisy = inputs["noisy"]
    height, width = noisy.shape[:2]
    if height * width <= max_pixels or not denoiser.TILES:
        return _restore_whole(denoiser, inputs)
    sums, weights = {}, np.zeros((height, width, 1), np.float32)
    for rows, columns in tiles(height, width, max_pixels):
        weight = (_ramp(rows, height)[:, None] * _ramp(columns, width))[..., None]
        weights[rows, columns] += weight
        result = _restore_whole(denoiser, inputs | {"noisy": noisy[rows, columns]})
        for name, value in result.items():
            total = sums.setdefault(name, np.zeros((height, width, value.shape[-1]), np.float32))
            total[rows, columns] += weight * value
    return {name: total / weights for name, total in sums.items()}


def _restore_whole(denoiser, inputs):
    batch = {name: np.asarray(value, np.float32)[None] for name, value in inputs.items()}
    return {name: value[0] for name, value in denoiser.predict_on_batch(batch).items()}


def tiles(height, width, max_pixels):
    """Pairs of slices that cover the image, at most `max_pixels` each, neighbours overlapping."""
    multiple = unet.MULTIPLE
    side = max(int(max_pixels**0.5) // multiple * multiple, 2 * OVERLAP)
    # A narrow picture leaves its tiles more length.
    tall = min(height, side)
    wide = min(width, side)
    if tall < side:
        wide = min(width, max(side, max_pixels // tall // multiple * multiple))
    if wide < side:
        tall = min(height, max(side, max_pixels // wide // multiple * multiple))
    return [(r, c) for r in _cover(height, tall) for c in _cover(width, wide)]


def _cover(length, size):
    starts = list(range(0, max(length - OVERLAP, 1), size - OVERLAP)) if size < length else [0]
    return [slice(min(s, length - size), min(s, length - size) + size) for s in starts]


def _ramp(part, length):
    """Weights along one side of a tile: falling towards its inner ends, 1 at the image's edges."""
    position = np.arange(part.start, part.stop, dtype=np.float32) + 0.5
    ramp = np.ones_like(position)
    if part.start > 0:
        ramp = np.minimum(ramp, (position - part.start) / OVERLAP)
    if part.stop < length:
        ramp = np.minimum(ramp, (part.stop - position) / OVERLAP)
    return ramp
