"""What a worker of scripts.denoise_volume does with a block of an array."""

import functools
import pathlib

import numpy as np

from common.files import pixels, stacks, zarrs
from common.restoring import file_by_file, prediction, tiling
from noise2x import methods


@functools.cache
def load(run_dir, precision):
    """The Denoiser of a run folder, read once in a process."""
    return methods.of_run(run_dir).load_deployed(run_dir, precision)


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
        job: dict of run_dir, precision, axes (letters of the array's) and whether they are named,
            shape (of the whole array), chunks (dask's, of the array without overlap), depth (more
            along each axis), halo, level (of the noise, or None), dtype (to write), input (its
            name), output (Zarr folder), done (folder of markers).

    Raises:
        ImageError: values that `denoise` refuses too; names the input.

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
    axes, config = job["axes"], denoiser.config

    def view(array):
        stack = stacks.Stack(job["input"], array, axes, {}, job["named"])
        return stack, stack.view(denoiser.spatial, config.channels)

    stack, source = view(block)
    _, whole = view(Shape(job["shape"], block.dtype))
    inner = [axes.index(letter) for letter in "ZYX"[-denoiser.spatial :]]
    grid = tiling.Grid(denoiser, whole.sides, halo=job["halo"])
    tile = grid.around([own[i] for i in inner])
    region, taken = grid.core(tile)
    here = [slice(p.start - f, p.stop - f) for p, f in zip(own, first)]
    result = block[tuple(here)].astype(job["dtype"])  # alpha stays
    _, target = view(result)
    where = tuple(slice(0, part.stop - part.start) for part in region)
    white = pixels.white_level(source.dtype, config.white_level)
    given = {} if job["level"] is None else {"noise_level": job["level"]}

    def read(number, asked):
        moved = (slice(r.start - first[i], r.stop - first[i]) for r, i in zip(asked, inner))
        return file_by_file.read_unit(stack, source, number, white, config, tuple(moved))

    for number in range(source.count):
        noisy = grid.read(tile, functools.partial(read, number))
        inputs = {"noisy": noisy} | given
        restored = prediction.restore(denoiser, inputs, halo=job["halo"])["denoised"]
        values = file_by_file.to_stored(restored[taken], result.dtype, white, job["input"])
        target.write(result, number, where, values)
    zarrs.open_to_write(job["output"])[tuple(own)] = result
    marker(job["done"], place).touch()
    return nothing
