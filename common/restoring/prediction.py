"""Restoring an image of any size: whole if it fits into memory, else in tiles."""

from __future__ import annotations

import typing

import numpy as np

from common.files import pixels
from common.restoring import tiling
from common.types import Array

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser


def restore(
    denoiser: Denoiser,
    inputs: dict[str, Array],
    *,
    max_pixels: int | None = None,
    tile_size: int | None = None,
    halo: int | None = None,
) -> dict[str, np.ndarray]:
    """Restore one image.

    Args:
        denoiser: the trained model.
        inputs: `noisy`, (H, W, C) or, for volumes, (D, H, W, C), float32 on [0, 1], never clipped;
            `noise_level`, the noise parameter, if the model takes it and was not trained on one
            level alone, or else the model finds it; the other inputs that the model's INPUTS name.
            Further ones are ignored.
        max_pixels, tile_size, halo: as for `tiling.Grid`. Larger images are restored in tiles,
            unless the denoiser needs them whole (TILES).

    Returns:
        dict of float32 arrays: `denoised`, (H, W, C) or (D, H, W, C), and the other results of the
        model, (H or 1, W or 1, ...). H and W are `denoiser.scale` times those of `noisy`.
    """
    inputs = _with_level(denoiser, inputs)
    noisy = inputs["noisy"]
    sides = noisy.shape[:-1]
    grid = None
    if denoiser.TILES:
        grid = tiling.Grid(denoiser, sides, max_pixels=max_pixels, tile_size=tile_size, halo=halo)
    if grid is None or len(grid.tiles) == 1:
        return {name: value[0] for name, value in _run(denoiser, inputs, noisy[None]).items()}
    restored: dict[str, np.ndarray] = {}
    means: dict[str, typing.Any] = {}
    for tiles in grid.batches():
        batch = np.stack([grid.read(tile, lambda region: noisy[region]) for tile in tiles])
        for name, values in _run(denoiser, inputs, batch).items():
            for tile, value in zip(tiles, values):
                region, inner = grid.core(tile)
                if value.shape[:-1] == pixels.scaled(batch.shape[1:-1], denoiser.scale):
                    if name not in restored:
                        shape = (*pixels.scaled(sides, denoiser.scale), value.shape[-1])
                        restored[name] = np.empty(shape, np.float32)
                    restored[name][pixels.scaled(region, denoiser.scale)] = value[
                        pixels.scaled(inner, denoiser.scale)
                    ]
                else:  # one value for a whole tile: its mean over the pixels of the image
                    share = np.prod([part.stop - part.start for part in region])
                    means[name] = means.get(name, 0.0) + value * (share / np.prod(sides))
    return restored | {name: value.astype(np.float32) for name, value in means.items()}


def _with_level(denoiser, inputs):
    """The inputs with the noise level of the image, where it has to be found."""
    if not denoiser.looks_for_level or "noise_level" in inputs:
        return inputs
    return inputs | {"noise_level": np.float32(denoiser.find_level(inputs["noisy"]))}


def _run(denoiser, inputs, batch):
    """Restore (N, ...) noisy images at once; the other inputs are the same for all."""
    others = {
        name: np.repeat(np.asarray(value, np.float32)[None], len(batch), axis=0)
        for name, value in inputs.items()
        if name in denoiser.INPUTS or name == "noise_level"
    }
    return denoiser.predict_on_batch(others | {"noisy": np.asarray(batch, np.float32)})


def restore_augmented(
    denoiser: Denoiser,
    inputs: dict[str, Array],
    *,
    axes: tuple[int, int] = (-3, -2),
    **settings: typing.Any,
) -> dict[str, np.ndarray]:
    """Restore an image in its 8 orientations and return the mean; takes 8 times as long.

    Args:
        denoiser, inputs: as for `restore`.
        axes: the two axes of (H, W, C) or (D, H, W, C) that are turned.
        settings: those of `restore`.

    Returns:
        dict of arrays, as `restore`.
    """
    inputs = _with_level(denoiser, inputs)
    totals: dict[str, typing.Any] = {}
    for turns, mirrored in pixels.ORIENTATIONS:
        image = pixels.orient(inputs["noisy"], turns, mirrored, axes)
        turned = inputs | {"noisy": np.ascontiguousarray(image)}
        for name, restored in restore(denoiser, turned, **settings).items():
            # Undo the mirroring first: it came last.
            restored = np.flip(restored, axes[1]) if mirrored else restored
            totals[name] = totals.get(name, 0.0) + np.rot90(restored, -turns, axes)
    return {name: total / len(pixels.ORIENTATIONS) for name, total in totals.items()}
