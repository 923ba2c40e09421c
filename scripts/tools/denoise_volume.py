"""Restores a Zarr array block by block, in several processes or on several machines.

noise2x volume --run_dir=runs/cells --input=cells.zarr --output=restored.zarr
noise2x volume --run_dir=runs/cells --input=cells.zarr --output=restored.zarr --workers=4
noise2x volume --run_dir=runs/cells --input=cells.zarr --output=restored.zarr \\
    --scheduler=tcp://host:8786                                        # any dask cluster

A worker reads one block with a halo around it, restores the block, and writes it to the output; it
never has more than that in memory. All workers must be able to read the input and to write the
output. If the command is stopped, the same command continues with the blocks that are missing. The
output has the axes, type and attributes of the input. Of an OME-Zarr only the finest resolution is
restored. Needs the extra `scale`.
"""

import contextlib
import importlib.util
import json
import logging
import math
import pathlib
import shutil

import numpy as np
from absl import flags as absl_flags

from common import progress
from common.commands import flags, running
from common.files import atomic, image_files, stacks, zarrs
from common.restoring import file_by_file
from common.training import runs
from noise2x import workers
from scripts.tools import blocks

FLAGS = flags.FLAGS


def plan(run_dir, source, output, *, block, axes, precision, halo, noise_level=None):
    """Plans the work, and creates the output.

    Args:
        run_dir: run folder of the model.
        source: Zarr folder to restore.
        output: Zarr folder to write. It exists already if the run was stopped before, together with
            `<output>.blocks`, the folder of the markers of finished blocks.
        block: side of a block, pixels.
        axes: letters of the array's axes; None for those that it names itself.
        precision, halo, noise_level: see `denoise`.

    Returns:
        (dask array; computing one of its blocks restores and writes a block), folder of markers.

    Raises:
        ValueError: there is no such model or array, the output belongs to another run, the blocks
            are smaller than the halo, or the model needs a noise level.
    """
    import dask.array as da

    denoiser = blocks.load(str(run_dir), precision)
    config = denoiser.config
    if not denoiser.TILES:
        raise ValueError(f"{run_dir}: this model restores whole images only.")
    source, output = pathlib.Path(source).resolve(), pathlib.Path(output).resolve()
    if not image_files.is_zarr(source):
        raise ValueError(f"{source}: no Zarr folder (NAME.zarr).")
    stack = stacks.read(source, axes, usual=config.file_axes, max_bytes=1)
    view = stack.view(denoiser.spatial, config.channels)
    if stack.array.dtype.kind not in "uf":
        raise ValueError(f"{source}: {stack.array.dtype} values; expected unsigned or floats.")
    if denoiser.scale > 1:
        raise ValueError("this model enlarges; superres.restore does so with files of any size.")
    level = file_by_file.noise_parameter(denoiser, noise_level)
    if level is None and denoiser.looks_for_level:
        level = file_by_file.found_level(view, view.count // 2, denoiser)
        strength = level * config.noise.SCALE
        progress.say(f"Noise level found: {strength:.3g} ({config.noise.UNIT})")
    letters = view.letters
    inner = [letters.index(letter) for letter in "ZYX"[-denoiser.spatial :]]
    shape, multiple = stack.array.shape, config.side_multiple
    halo = denoiser.halo if halo is None else halo
    # The halo, and what a tile needs to begin at a multiple of the network's coarsest pixel.
    reach = -(-halo // multiple) * multiple + multiple
    sides = [min(block, side) if i in inner else side for i, side in enumerate(shape)]
    sides = [1 if letters[i] == "I" else side for i, side in enumerate(sides)]
    depth = {i: reach if i in inner and shape[i] > sides[i] else 0 for i in range(len(shape))}
    if any(0 < depth[i] > sides[i] for i in inner):
        raise ValueError(f"block={block}: expected at least {reach}, the halo of this model.")
    chunks = tuple(_lengths(shape[i], sides[i], depth[i]) for i in range(len(shape)))
    array = da.from_zarr(stack.array).rechunk(chunks)
    done = pathlib.Path(f"{output}.blocks")
    job = {
        "run_dir": str(runs.located(run_dir).resolve()),
        "precision": precision,
        "axes": stack.axes,
        "named": stack.named,
        "shape": shape,
        "chunks": array.chunks,
        "depth": [depth[i] for i in range(len(shape))],
        "halo": halo,
        "level": level,
        "dtype": file_by_file.written_type("same", stack, view).name,
        "input": str(source),
        "output": str(output),
        "done": str(done),
    }
    _begin(done, output, stack, job, tuple(sides))
    result = da.map_overlap(
        workers.restore_block,
        array,
        depth=depth,
        boundary="none",
        trim=False,
        dtype=np.uint8,
        chunks=tuple((1,) * len(lengths) for lengths in array.chunks),
        meta=np.zeros((0,) * array.ndim, np.uint8),
        job=job,
    )
    return result, done


def execute(client, result, done, show):
    """Lets the workers of a dask client restore the blocks that are not finished yet.

    Args:
        client: distributed.Client.
        result, done: of `plan`.
        show: called with lines about the progress.

    Raises:
        ValueError: a worker failed.
    """
    from distributed import as_completed

    left = [
        place for place in np.ndindex(*result.numblocks) if not blocks.marker(done, place).exists()
    ]
    count = math.prod(result.numblocks)
    if len(left) < count:
        show(f"{count - len(left)} of {count} blocks are there already.")
    steps = progress.Progress(len(left), unit="block", show=show)
    futures = client.compute([result.blocks[place] for place in left])
    for future in as_completed(futures):
        try:
            future.result()
        except (ValueError, OSError):
            raise
        except Exception as error:  # a worker that died, or lacks this project
            reason = image_files.short(error)
            raise ValueError(f"a worker failed ({type(error).__name__}: {reason}).") from error
        steps.step()
    shutil.rmtree(done)


def _lengths(side, block, depth):
    """Lengths of the blocks along a side, pixels.

    A last block that is smaller than its halo is joined to the block before it. Every block begins
    where a chunk of the output begins, so that two workers never write to the same chunk.
    """
    lengths, rest = [block] * (side // block), side % block
    if rest and rest < depth and lengths:
        lengths[-1] += rest
    elif rest:
        lengths.append(rest)
    return tuple(lengths)


def _begin(done, output, stack, job, chunks):
    """Creates the output, or checks that an existing one belongs to the same job."""
    description = json.dumps(job, indent=1)
    if (done / "job.json").is_file():
        if (done / "job.json").read_text() != description:
            raise ValueError(
                f"{output}: was begun with other settings. Use the same settings to continue it, "
                f"or remove it and {done} to start again."
            )
    elif output.exists():
        raise ValueError(f"{output}: is there already; choose another --output.")
    with atomic.replacing(done / "job.json") as temporary:
        temporary.write_text(description)
    if not output.exists():
        with atomic.replacing_folder(output) as temporary:
            zarrs.create(temporary, job["shape"], job["dtype"], stack.metadata, chunks)


def define_flags():
    """Defines the flags of this program."""
    flags.define_run("restore with", required=True)
    absl_flags.DEFINE_string("input", None, "Zarr folder to restore, plain or OME-Zarr. Required.")
    absl_flags.DEFINE_string("output", None, "Zarr folder to write. Required.")
    absl_flags.DEFINE_integer("workers", 2, "Number of processes to start on this machine [2].", 1)
    absl_flags.DEFINE_string(
        "scheduler", None, "Address of a dask cluster to use, instead of processes here."
    )
    absl_flags.DEFINE_integer("block", 512, "Side of a block, pixels [512].", 1)
    absl_flags.DEFINE_integer(
        "halo",
        None,
        "Width of the part around a block that is computed with it and then dropped, pixels [as "
        "far as a pixel sees, or the model's compromise].",
        0,
    )
    flags.define_noise_level()
    flags.define_dims()
    flags.define_precision("auto")


def run():
    """Restores --input to --output with the flags' workers."""
    flags.require("run_dir", "input", "output")
    if importlib.util.find_spec("distributed") is None or importlib.util.find_spec("zarr") is None:
        raise ValueError("denoise_volume: not installed; pip install 'noise2x[scale]'.")
    import distributed

    logging.getLogger("distributed").setLevel(logging.WARNING)
    result, done = plan(
        FLAGS.run_dir,
        FLAGS.input,
        FLAGS.output,
        block=FLAGS.block,
        axes=FLAGS.dims,
        precision=FLAGS.precision,
        halo=FLAGS.halo,
        noise_level=FLAGS.noise_level,
    )
    with contextlib.ExitStack() as stack:
        address = FLAGS.scheduler or stack.enter_context(
            distributed.LocalCluster(
                n_workers=FLAGS.workers,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address=None,
            )
        )
        client = stack.enter_context(distributed.Client(address))
        execute(client, result, done, lambda line: print(line, flush=True))
    print(f"{FLAGS.input} -> {FLAGS.output}")


def main():
    """Runs `noise2x volume`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
