"""Tests `denoise` and `import` with randomly damaged files.

python -m scripts.check.fuzz --count=2000 --output=fuzz

The program makes good pictures, stacks, arrays, Zarr folders and weight files, and damages copies
of them at random: it cuts off, overwrites, removes and inserts bytes. Every damaged file must be
restored or refused with a message that names it. These are failures: an exception that is not meant
for the user, more than --seconds for a file, memory that grows by more than a gigabyte, and a good
file in a batch that is not restored. The files of a failure stay in the output folder, and the exit
code is 1.
"""

import importlib.util
import pathlib
import pickle
import resource
import shutil
import signal
import time
import traceback
import warnings

import numpy as np
import PIL.Image
import tifffile
from absl import flags as absl_flags

from common.commands import flags, running
from common.restoring import file_by_file
from noise2x import methods
from scripts.check import untrained
from scripts.tools import import_weights

FLAGS = flags.FLAGS
BATCH = 40  # damaged files that are restored together
MEMORY = 1e9  # largest growth of the memory, bytes


def write_images(folder, rng):
    """Writes good image files of every kind, with one channel for an n2v_tf model.

    Returns:
        list of their paths.
    """
    folder.mkdir(parents=True)
    picture = rng.integers(0, 256, (24, 37), np.uint8)
    stack = rng.integers(0, 4096, (3, 24, 37)).astype(np.uint16)
    for suffix in ("png", "jpg", "bmp"):
        PIL.Image.fromarray(picture).save(folder / f"picture-{suffix}.{suffix}")
    PIL.Image.fromarray(picture).save(folder / "lzw.tif", compression="tiff_lzw")
    tifffile.imwrite(folder / "imagej.tif", stack, imagej=True, metadata={"axes": "TYX"})
    tifffile.imwrite(folder / "ome.ome.tif", stack, ome=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "deflate.tif", stack, compression="zlib", photometric="minisblack")
    np.save(folder / "array.npy", stack.astype(np.float32) / 4096)
    if importlib.util.find_spec("zarr"):
        import zarr

        array = zarr.create_array(
            str(folder / "stack.zarr"), shape=stack.shape, chunks=(1, 16, 16), dtype=stack.dtype
        )
        array[:] = stack
    return sorted(folder.iterdir())


def write_weights(folder):
    """Writes good weight files; returns a list of (name of the method, path)."""
    folder.mkdir(parents=True)
    tests = pathlib.Path(__file__).parent.parent.parent / "tests"
    network = untrained.build("n2n_tf", {"channels": 1}).network
    kinds = {"kernel": "w", "bias": "b"}
    variables = [
        (f"{layer.name}/{kinds[v.name]}", np.asarray(v))
        for layer in network.layers
        for v in layer.weights
    ]
    pickled = folder / "network_final.pickle"
    pickled.write_bytes(pickle.dumps({"version": 2, "variables": variables}, 2))
    shutil.copytree(tests / "n2v_tf" / "juglab_model", folder / "juglab_model")
    weights = [("n2n_tf", pickled), ("n2v_tf", folder / "juglab_model")]
    for path in sorted((tests / "scripts" / "tools").glob("*.pth")):
        shutil.copy(path, folder)
        weights.append(("rdunet_tf", folder / path.name))
    return weights


def damage(content, rng):
    """Changes bytes at random, in one to three places; returns the new bytes."""
    content = bytearray(content)
    size = len(content)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(0, size)) if rng.random() < 0.5 else int(rng.integers(0, 64))
        length = int(rng.integers(1, 9))
        match rng.integers(0, 6):
            case 0:
                del content[place:]
            case 1:
                del content[place : place + length]
            case 2:
                content[place:place] = rng.bytes(length)
            case 3:
                content[place : place + length] = b"\xff" * length
            case 4:
                content[place : place + length] = b"\0" * length
            case _:
                content[place : place + length] = rng.bytes(length)
    return bytes(content)


def damaged_copy(path, target, rng):
    """Copies a file or folder to `target`, and damages the copy, of a folder one of its files."""
    if path.is_dir():
        shutil.copytree(path, target)
        files = sorted(p for p in target.rglob("*") if p.is_file())
        # An array has many files with its parts and few that describe it; both kinds are damaged
        # equally often.
        descriptions = [p for p in files if p.suffix == ".json"]
        chosen = descriptions if descriptions and rng.random() < 0.5 else files
        path = target = chosen[rng.integers(len(chosen))]
    target.write_bytes(damage(path.read_bytes(), rng))


class Watch:
    """Runs functions, and counts and reports their failures.

    seconds: time that a function may take for a file.
    """

    def __init__(self, seconds):
        self._seconds, self.failed = seconds, 0
        self.slowest = 0.0
        self._start = _peak()

    def run(self, label, function, count=1):
        """Calls a function; errors that are meant for users, ValueError and OSError, are allowed.

        Args:
            label: names the call in reports.
            function: called without arguments.
            count: number of files that it handles.
        """
        signal.alarm(int(self._seconds * count))
        began = time.monotonic()
        try:
            function()
        except (ValueError, OSError):
            pass
        except BaseException:
            self.fail(f"{label}:\n{traceback.format_exc()}")
        finally:
            signal.alarm(0)
        self.slowest = max(self.slowest, (time.monotonic() - began) / count)
        if _peak() - self._start > MEMORY:
            self.fail(f"{label}: memory grew to {_peak() / 1e9:.1f} GB")
            self._start = _peak()

    def fail(self, line):
        """Counts a failure and prints it."""
        self.failed += 1
        print(f"WRONG {line}", flush=True)


def _peak():
    """Peak memory of this process, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fuzz_images(count, output, watch, rng):
    """Restores batches of damaged image files with good ones among them, as `denoise` does."""
    denoiser = untrained.build("n2v_tf", {"width": 4, "depth": 1})
    good = write_images(output / "good", rng)
    tiles = {"max_pixels": 10**5}
    messages = []
    for first in range(0, count, BATCH):
        folder = output / "batch"
        folder.mkdir()
        for path in good:
            target = folder / f"good-{path.name}"
            (shutil.copytree if path.is_dir() else shutil.copy)(path, target)
        for number in range(first, min(first + BATCH, count)):
            path = good[rng.integers(len(good))]
            damaged_copy(path, folder / f"{number:05d}-{path.name}", rng)

        # Every other batch is read and written in parts, as if it were large.
        max_bytes = 1000 if first // BATCH % 2 else 10**6

        def restore(folder=folder, max_bytes=max_bytes):
            try:
                file_by_file.restore_files(
                    denoiser,
                    [str(folder)],
                    output / "restored",
                    tiles=tiles,
                    max_bytes=max_bytes,
                    show=messages.append,
                )
            except ValueError as error:
                if "could not be restored; they are named above" not in str(error):
                    raise AssertionError("the batch was given up") from error

        failed = watch.failed
        watch.run(f"batch from {first}", restore, BATCH)
        for path in good:
            if not (output / "restored" / f"good-{path.name}").exists():
                watch.fail(f"good-{path.name} was not restored with the batch from {first}")
        if watch.failed > failed:
            folder.rename(output / f"wrong-{first}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(output / "restored", ignore_errors=True)
    refused = sum("Skipped." in line for line in messages)
    print(f"images: {count} damaged, {refused} refused by name, the others restored.")


def fuzz_weights(count, output, watch, rng):
    """Imports damaged weight files, and the good ones afterwards."""
    good = write_weights(output / "weights")
    taken = 0
    for number in range(count):
        method, path = good[number % len(good)]
        target = output / f"{number:05d}-{path.name}"
        damaged_copy(path, target, rng)
        run_dir = output / "run"
        failed = watch.failed
        watch.run(
            target.name,
            lambda m=method, t=target: import_weights.convert(methods.find(m), t, output / "run"),
        )
        taken += run_dir.exists()
        shutil.rmtree(run_dir, ignore_errors=True)
        if watch.failed == failed:
            (shutil.rmtree if target.is_dir() else pathlib.Path.unlink)(target)
    for method, path in good:
        import_weights.convert(methods.find(method), path, output / f"run-{path.name}")
    print(f"weights: {count} damaged, {taken} taken, for the damage left their format whole.")


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_integer(
        "count", 2000, "Number of damaged files; a fifth of them are weight files [2000].", 1
    )
    absl_flags.DEFINE_integer("seed", 0, "Seed of the damage [0].", 0)
    absl_flags.DEFINE_integer("seconds", 20, "Longest time that a file may take, seconds [20].", 1)
    absl_flags.DEFINE_string("output", None, "New folder for the damaged files. Required.")


def run():
    """Tests with damaged images and weights.

    Raises:
        ValueError: there were failures.
    """
    flags.require("output")
    output = pathlib.Path(FLAGS.output)
    output.mkdir(parents=True)
    warnings.simplefilter("ignore")  # decoders warn about files before they refuse them
    signal.signal(signal.SIGALRM, _time_is_up)
    watch = Watch(FLAGS.seconds)
    rng = np.random.default_rng(FLAGS.seed)
    weights = FLAGS.count // 5
    fuzz_images(FLAGS.count - weights, output, watch, rng)
    fuzz_weights(weights, output, watch, rng)
    print(f"Slowest: {watch.slowest:.1f} s a file. Memory at most {_peak() / 1e9:.2f} GB.")
    if watch.failed:
        raise ValueError(f"{watch.failed} times something went wrong; see above and {output}.")
    print("Nothing went wrong.")


def _time_is_up(*unused):
    raise TimeoutError("time is up")


def main():
    """Runs `python -m scripts.check.fuzz`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
