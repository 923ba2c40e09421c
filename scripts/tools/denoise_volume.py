"""Restores a Zarr array block by block, in several processes or on many machines.

python -m scripts.denoise_volume --run_dir=runs/cells --input=cells.zarr --output=restored.zarr
python -m scripts.denoise_volume --run_dir=runs/cells --input=cells.zarr --output=restored.zarr \\
    --workers=4 --block=512
python -m scripts.denoise_volume ... --scheduler=tcp://host:8786      # any dask cluster

A worker reads a block and a halo around it from the input, restores it and writes it to the output,
which all of them must see; no more than that is in memory. The same command goes on where it was
stopped, with the blocks that are not there yet. The output has the axes, type and attributes of the
input, of OME-Zarr its finest resolution. Needs the extra `scale`.
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
from scripts.tools import blocks

FLAGS = flags.FLAGS


def plan(run_dir, source, output, *, block, axes, precision, halo, noise_level=None):
    """What there is to do, and the output made ready for it.

    Args:
        run_dir: run folder of the model.
        source, output: Zarr folders; of a run that was stopped the output is there already, and
            beside it `<output>.blocks`, which says what is done.
        block: side of a block, pixels.
        axes: letters for those of the array; None for what it says itself.
        precision, halo, noise_level: as of `denoise`.

    Returns:
        (dask array of which every block restores and writes one, folder of markers).

    Raises:
        ValueError: no such model or array, an output of something else, blocks smaller than halos,
            a model that must be told the level.
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
    level = file_by_file.noise_parameter(config, noise_level)
    letters = view.letters
    inner = [letters.index(letter) for letter in "ZYX"[-denoiser.spatial :]]
    shape, multiple = stack.array.shape, config.side_multiple
    halo = denoiser.halo if halo is None else halo
    reach = -(-halo // multiple) * multiple + multiple  # room to begin on the network's grid
    sides = [min(block, side) if i in inner else side for i, side in enumerate(shape)]
    sides = [1 if letters[i] == "I" else side for i, side in enumerate(sides)]
    depth = {i: reach if i in inner and shape[i] > sides[i] else 0 for i in range(len(shape))}
    if any(0 < depth[i] > sides[i] for i in inner):
        raise ValueError(f"block={block}: expected at least {reach}, the halo of this model.")
    chunks = tuple(_lengths(shape[i], sides[i], depth[i]) for i in range(len(shape)))
    array = da.from_zarr(stack.array).rechunk(chunks)
    done = pathlib.Path(f"{output}.blocks")
    job = {
        "run_dir": str(pathlib.Path(run_dir).resolve()),
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
        blocks.restore,
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
    """Lets the workers of a dask client do what `plan` planned and is not done yet.

    show: called with a line now and then.
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
    """Of the blocks along a side; a last one smaller than its halo is part of the one before.

    Each begins where a chunk of the output does: two workers never write to one chunk.
    """
    lengths, rest = [block] * (side // block), side % block
    if rest and rest < depth and lengths:
        lengths[-1] += rest
    elif rest:
        lengths.append(rest)
    return tuple(lengths)


def _begin(done, output, stack, job, chunks):
    """Makes the output, or checks that the one there is what this run would have made."""
    told = json.dumps(job, indent=1)
    if (done / "job.json").is_file():
        if (done / "job.json").read_text() != told:
            raise ValueError(
                f"{output}: was begun with other settings; the same ones go on with it, or remove "
                f"it and {done}."
            )
    elif output.exists():
        raise ValueError(f"{output}: is there already; choose another --output.")
    with atomic.replacing(done / "job.json") as temporary:
        temporary.write_text(told)
    if not output.exists():
        with atomic.replacing_folder(output) as temporary:
            zarrs.create(temporary, job["shape"], job["dtype"], stack.metadata, chunks)


def define_flags():
    absl_flags.DEFINE_string("run_dir", None, "Run folder of the model to restore with. Required.")
    absl_flags.DEFINE_string("input", None, "Zarr folder, plain or OME. Required.")
    absl_flags.DEFINE_string("output", None, "Zarr folder to write. Required.")
    absl_flags.DEFINE_integer("workers", 2, "Processes of the cluster on this machine.", 1)
    absl_flags.DEFINE_string("scheduler", None, "Address of a dask cluster to use instead.")
    absl_flags.DEFINE_integer("block", 512, "Side of a block, pixels.", 1)
    absl_flags.DEFINE_integer("halo", None, "As of `denoise`, pixels [the model's].", 0)
    flags.define_noise_level()
    flags.define_dims()
    flags.define_precision()


def run():
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
    with contextlib.ExitStack() as open_ones:
        address = FLAGS.scheduler or open_ones.enter_context(
            distributed.LocalCluster(
                n_workers=FLAGS.workers,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address=None,
            )
        )
        client = open_ones.enter_context(distributed.Client(address))
        execute(client, result, done, lambda line: print(line, flush=True))
    print(f"{FLAGS.input} -> {FLAGS.output}")


def main():
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
