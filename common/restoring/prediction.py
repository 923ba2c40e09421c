"""Restores an image of any size: whole where memory allows, in tiles where not."""

import numpy as np

from common.files import pixels
from common.restoring import tiling


def restore(denoiser, inputs, *, max_pixels=None, tile_size=None, halo=None):
    """Restores one image.

    Args:
        denoiser: `denoiser.Denoiser`.
        inputs: dict with `noisy`, (H, W, C) float32 in [0, 1] but for noise, or (D, H, W, C) for
            volumes; `noise_level`, as `noise.draw_level` gives it, unless it is the trained one or
            the model needs none; what else its INPUTS name. Others are not looked at.
        max_pixels, tile_size, halo: as of `Grid`; larger images are cut into its tiles, unless the
            denoiser wants them whole.

    Returns:
        dict of float32 arrays (H or 1, W or 1, ...): `denoised`, and what else the method gives; of
        a denoiser that enlarges, `scale` times as large.
    """
    noisy = inputs["noisy"]
    sides = noisy.shape[:-1]
    grid = None
    if denoiser.TILES:
        grid = tiling.Grid(denoiser, sides, max_pixels=max_pixels, tile_size=tile_size, halo=halo)
    if grid is None or len(grid.tiles) == 1:
        return {name: value[0] for name, value in _run(denoiser, inputs, noisy[None]).items()}
    found, shares = {}, {}
    for some in grid.batches():
        batch = np.stack([grid.read(tile, lambda region: noisy[region]) for tile in some])
        for name, values in _run(denoiser, inputs, batch).items():
            for tile, value in zip(some, values):
                region, inner = grid.core(tile)
                if value.shape[:-1] == pixels.scaled(batch.shape[1:-1], denoiser.scale):
                    if name not in found:
                        shape = (*pixels.scaled(sides, denoiser.scale), value.shape[-1])
                        found[name] = np.empty(shape, np.float32)
                    found[name][pixels.scaled(region, denoiser.scale)] = value[
                        pixels.scaled(inner, denoiser.scale)
                    ]
                else:  # one for all pixels: their mean
                    share = np.prod([part.stop - part.start for part in region])
                    shares[name] = shares.get(name, 0.0) + value * (share / np.prod(sides))
    return found | {name: value.astype(np.float32) for name, value in shares.items()}


def _run(denoiser, inputs, batch):
    """Outputs for (N, ...) noisy images; the other inputs are the same for all."""
    others = {
        name: np.repeat(np.asarray(value, np.float32)[None], len(batch), axis=0)
        for name, value in inputs.items()
        if name in denoiser.INPUTS or name == "noise_level"
    }
    return denoiser.predict_on_batch(others | {"noisy": np.asarray(batch, np.float32)})


def restore_augmented(denoiser, inputs, *, axes=(-3, -2), **settings):
    """As `restore`, the mean over the 8 ways to turn and mirror an image; 8 times the work.

    axes: the two that are turned, of (H, W, C) or (D, H, W, C); settings: of `restore`.
    """
    totals = {}
    for turns, mirrored in pixels.ORIENTATIONS:
        image = pixels.orient(inputs["noisy"], turns, mirrored, axes)
        turned = inputs | {"noisy": np.ascontiguousarray(image)}
        for name, restored in restore(denoiser, turned, **settings).items():
            # Back in the reverse order.
            restored = np.flip(restored, axes[1]) if mirrored else restored
            totals[name] = totals.get(name, 0.0) + np.rot90(restored, -turns, axes)
    return {name: total / len(pixels.ORIENTATIONS) for name, total in totals.items()}
