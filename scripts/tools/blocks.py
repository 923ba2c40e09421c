"""Restores a block of an array, in a worker of `noise2x volume`."""

import functools
import pathlib

import numpy as np

from common.files import pixels, stacks, zarrs
from common.restoring import file_by_file, prediction, tiling
from noise2x import methods


@functools.cache
def load(run_dir, precision):
    """Loads the model of a run folder, once in a process.

    Args:
        run_dir: the folder.
        precision: arithmetic: auto, float32 or bfloat16.
    """
    return methods.of_run(run_dir).load_deployed(run_dir, precision)


class Shape:
    """Stands for an array without its values: it has shape, dtype and ndim only."""

    def __init__(self, shape, dtype):
        self.shape, self.dtype, self.ndim = tuple(shape), np.dtype(dtype), len(shape)


def marker(done, place):
    """Path of the file that marks a block as written.

    Args:
        done: folder of the markers.
        place: indices of the block in the grid.
    """
    return pathlib.Path(done) / "-".join(map(str, place))


def restore(block, *, block_info=None, job):
    """Restores a block and writes it; `dask.array.map_overlap` calls it.

    Args:
        block: part of the array, extended by `job["depth"]` along every axis, except where the
            array ends.
        block_info: dict of dask that tells the place of the block in the grid.
        job: dict of
            run_dir, precision: see `load`;
            axes: letters of the array's axes; named: whether the file names its axes;
            shape: of the whole array;
            chunks: lengths of the blocks along each axis, without their extensions;
            depth: extension of the blocks along each axis, pixels;
            halo: outer part of a tile, pixels;
            level: noise parameter, or None;
            dtype: type to write;
            input: path of the input, for messages; output: Zarr folder to write;
            done: folder of the markers.

    Returns:
        an array of one zero, because dask needs an array.

    Raises:
        ImageError: the block has values that `denoise` refuses too; the message names the input.
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
    result = block[tuple(here)].astype(job["dtype"])  # an alpha channel keeps its values
    _, target = view(result)
    where = tuple(slice(0, part.stop - part.start) for part in region)
    white = pixels.white_level(source.dtype, config.white_level)
    level = {} if job["level"] is None else {"noise_level": job["level"]}

    def read(number, asked):
        moved = (slice(r.start - first[i], r.stop - first[i]) for r, i in zip(asked, inner))
        return file_by_file.read_unit(stack, source, number, white, config, tuple(moved))

    for number in range(source.count):
        noisy = grid.read(tile, functools.partial(read, number))
        inputs = {"noisy": noisy} | level
        restored = prediction.restore(denoiser, inputs, halo=job["halo"])["denoised"]
        values = file_by_file.to_stored(restored[taken], result.dtype, white, job["input"])
        target.write(result, number, where, values)
    zarrs.open_to_write(job["output"])[tuple(own)] = result
    marker(job["done"], place).touch()
    return nothing
