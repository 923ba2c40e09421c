"""What a worker of scripts.denoise_volume does with a block of an array."""

import functools
import pathlib

import numpy as np

from common import images, prediction, stacks, zarrs
from scripts import models


@functools.cache
def load(run_dir, precision):
    """The Denoiser of a run folder, read once in a process."""
    return models.method_of(run_dir).load(run_dir, precision)


class Shape:
    """An array of which nothing but its sides and type is known."""

    def __init__(self, shape, dtype):
        self.shape, self.dtype, self.ndim = tuple(shape), np.dtype(dtype), len(shape)


def marker(done, place):
    """The file that says that a block is written."""
    return pathlib.Path(done) / "-".join(map(str, place))


def restore(block, *, block_info=None, job):
    """Restores a block and writes it; `dask.array.map_overlap` calls it.

    Args:
        block: part of the array, with `job["depth"]` more along every side that is not the array's.
        block_info: dask's, tells which block of the grid it is.
        job: dict of run_dir, precision, axes (letters of the array's), shape (of the whole array),
            chunks (dask's, of the array without overlap), depth (more along each axis), halo, white
            (level), output (Zarr folder), done (folder of markers).

    Returns:
        One zero, for dask wants an array. A block that is marked as done is left alone.
    """
    nothing = np.zeros((1,) * block.ndim, np.uint8)
    if not block_info or marker(job["done"], place := block_info[0]["chunk-location"]).exists():
        return nothing
    denoiser = load(job["run_dir"], job["precision"])
    ends = [np.cumsum(lengths) for lengths in job["chunks"]]
    own = [
        slice(int(end[i] - lengths[i]), int(end[i]))
        for i, end, lengths in zip(place, ends, job["chunks"])
    ]
    first = [max(part.start - depth, 0) for part, depth in zip(own, job["depth"])]
    axes, spatial = job["axes"], denoiser.spatial
    whole = stacks.Stack("", Shape(job["shape"], block.dtype), axes, {}, named=True)
    source = stacks.Stack("block", block, axes, {}, named=True).view(
        spatial, denoiser.config.channels
    )
    inner = [axes.index(letter) for letter in "ZYX"[-spatial:]]
    sides = whole.view(spatial, denoiser.config.channels).sides
    grid = prediction.Grid(denoiser, sides, halo=job["halo"])
    tile = grid.around([own[i] for i in inner])
    region, taken = grid.core(tile)
    result = np.empty([part.stop - part.start for part in own], block.dtype)
    target = stacks.Stack("", result, axes, {}, named=True).view(spatial, denoiser.config.channels)
    where = tuple(slice(0, part.stop - part.start) for part in region)

    def read(number, asked):
        here = (slice(r.start - first[i], r.stop - first[i]) for r, i in zip(asked, inner))
        return images.to_unit(source.read(number, tuple(here)), job["white"])

    # Of the axes that are not cut into images all of a block's, without the overlap there is none.
    for number in range(source.count):
        noisy = grid.read(tile, functools.partial(read, number))
        restored = prediction.restore(denoiser, {"noisy": noisy}, halo=job["halo"])["denoised"]
        values = images.from_unit(restored[taken], block.dtype, job["white"])
        target.write(result, number, where, values)
    zarrs.open_to_write(job["output"])[tuple(own)] = result
    marker(job["done"], place).touch()
    return nothing
