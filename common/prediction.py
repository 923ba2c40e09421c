"""Restores an image of any size: whole where memory allows, in tiles where not."""

import itertools

import numpy as np

from common import images, unet

MAX_PIXELS = 2**19  # of a tile; the widest layers of SSDN then take about 3 GB in float32
OVERLAP = 128  # pixels that neighbouring tiles share


def restore(denoiser, inputs, *, max_pixels=MAX_PIXELS, tile_size=None):
    """Restores one image.

    Args:
        denoiser: `denoiser.Denoiser`.
        inputs: dict with `noisy`, (H, W, C) float32 in [0, 1] but for noise, or (D, H, W, C) for
            volumes; `noise_level`, as
            `noise.draw_level` gives it, unless it is the trained one or the model needs none; what
            else a method asks for.
        max_pixels: larger images are cut into tiles of about so many, unless the denoiser wants
            them whole. Where it says how far its pixels see, tiles overlap by that much, and the
            result is that of the whole image; else they are blended linearly.
        tile_size: longest side of a tile, pixels, unless it must overlap more; None for as long as
            max_pixels allows. Where tiles are smaller than that, several are run at once.

    Returns:
        dict of float32 arrays (H or 1, W or 1, ...): `denoised`, and what else the method gives.
    """
    noisy = inputs["noisy"]
    sides = noisy.shape[:-1]
    fits = np.prod(sides) <= max_pixels and (tile_size is None or max(sides) <= tile_size)
    if fits or not denoiser.TILES:
        return _restore_whole(denoiser, inputs)
    if denoiser.radius is not None:
        return {"denoised": _restore_in_tiles(denoiser, noisy, max_pixels, tile_size)}
    max_pixels = min(max_pixels, tile_size**2) if tile_size else max_pixels
    height, width = sides
    sums, weights = {}, np.zeros((height, width, 1), np.float32)
    for rows, columns in tiles(height, width, max_pixels):
        weight = (_ramp(rows, height)[:, None] * _ramp(columns, width))[..., None]
        weights[rows, columns] += weight
        result = _restore_whole(denoiser, inputs | {"noisy": noisy[rows, columns]})
        for name, value in result.items():
            total = sums.setdefault(name, np.zeros((height, width, value.shape[-1]), np.float32))
            total[rows, columns] += weight * value
    return {name: total / weights for name, total in sums.items()}


def restore_augmented(denoiser, inputs, *, axes=(-3, -2), **settings):
    """`denoised` as the mean over the 8 ways to turn and mirror an image; 8 times the work.

    axes: the two that are turned, of (H, W, C) or (D, H, W, C); settings: of `restore`.
    """
    total = 0.0
    for turns, mirrored in images.ORIENTATIONS:
        image = images.orient(inputs["noisy"], turns, mirrored, axes)
        turned = inputs | {"noisy": np.ascontiguousarray(image)}
        restored = restore(denoiser, turned, **settings)["denoised"]
        # Back in the reverse order.
        restored = np.flip(restored, axes[1]) if mirrored else restored
        total = total + np.rot90(restored, -turns, axes)
    return {"denoised": total / len(images.ORIENTATIONS)}


def _restore_whole(denoiser, inputs):
    batch = {name: np.asarray(value, np.float32)[None] for name, value in inputs.items()}
    return {name: value[0] for name, value in denoiser.predict_on_batch(batch).items()}


def _restore_in_tiles(denoiser, noisy, max_pixels, tile_size):
    """The whole image's result, from tiles that hold all that their middles see."""
    multiple = denoiser.config.side_multiple
    halo = -(-denoiser.radius // multiple) * multiple
    # Padded as the denoiser pads, so that tiles lie on its grid of halved pixels.
    before = [unet.missing(side, multiple) // 2 for side in noisy.shape[:-1]]
    after = [unet.missing(s, multiple) - b for s, b in zip(noisy.shape[:-1], before)]
    padded = np.pad(noisy, [*zip(before, after), (0, 0)], mode="reflect")
    sides = padded.shape[:-1]
    tile = tile_shape(sides, max_pixels, tile_size or max(sides), halo, multiple)
    spans = [_spans(side, length, halo) for side, length in zip(sides, tile)]
    restored = np.empty(padded.shape, np.float32)
    places = list(itertools.product(*spans))
    count = max(1, int(max_pixels // np.prod(tile)))  # tiles that are run at once
    for first in range(0, len(places), count):
        some = places[first : first + count]
        corners = ([start for start, _, _ in place] for place in some)
        batch = np.stack([padded[tuple(map(_slice, corner, tile))] for corner in corners])
        for place, output in zip(some, denoiser.predict_on_batch({"noisy": batch})["denoised"]):
            whole = tuple(slice(begin, end) for _, begin, end in place)
            inner = tuple(slice(begin - start, end - start) for start, begin, end in place)
            restored[whole] = output[inner]
    return restored[tuple(map(_slice, before, noisy.shape[:-1]))]


def _slice(start, length):
    return slice(start, start + length)


def tile_shape(sides, max_pixels, max_side, halo, multiple):
    """Sides of a tile within both limits, or of the smallest that have a middle."""
    least = 2 * halo + multiple
    tile = [min(side, max(least, max_side // multiple * multiple)) for side in sides]
    while np.prod(tile) > max_pixels:
        axis = int(np.argmax([n if n > least else 0 for n in tile]))
        if tile[axis] <= least:
            break
        tile[axis] = max(least, tile[axis] // 2 // multiple * multiple)
    return tuple(tile)


def _spans(side, length, halo):
    """Along one side: (where a tile starts, begin and end of what is taken from it)."""
    step = length - 2 * halo
    count = 1 if length >= side else 1 + -(-(side - length) // step)
    starts = [min(i * step, side - length) for i in range(count)]
    return [
        (start, start + halo if i else 0, side if i == count - 1 else start + length - halo)
        for i, start in enumerate(starts)
    ]


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
