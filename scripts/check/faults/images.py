"""Damaged image files, restored in batches with good ones among them."""

import importlib.util
import shutil

import numpy as np
import PIL.Image
import tifffile

from common.files import raws
from common.restoring import file_by_file
from scripts.check import dng, untrained
from scripts.check.faults import damage

BATCH = 40  # damaged files that are restored together


def write_images(folder, rng):
    """Writes good image files of every kind, with one channel for an n2v_tf model.

    Returns:
        list of their paths.
    """
    folder.mkdir(parents=True)
    picture = rng.integers(0, 256, (24, 37), np.uint8)
    stack = rng.integers(0, 4096, (3, 24, 37)).astype(np.uint16)
    for suffix in ("png", "jpg", "bmp", "avif"):
        PIL.Image.fromarray(picture).save(folder / f"picture-{suffix}.{suffix}")
    PIL.Image.fromarray(picture).save(folder / "lzw.tif", compression="tiff_lzw")
    tifffile.imwrite(folder / "imagej.tif", stack, imagej=True, metadata={"axes": "TYX"})
    tifffile.imwrite(folder / "ome.ome.tif", stack, ome=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "deflate.tif", stack, compression="zlib", photometric="minisblack")
    np.save(folder / "array.npy", stack.astype(np.float32) / 4096)
    if raws.is_installed():
        dng.write(folder / "sensor.dng", picture[:24, :36] / 255)
    if importlib.util.find_spec("zarr"):
        import zarr

        array = zarr.create_array(
            str(folder / "stack.zarr"), shape=stack.shape, chunks=(1, 16, 16), dtype=stack.dtype
        )
        array[:] = stack
    return sorted(folder.iterdir())


def fuzz(count, output, watch, rng):
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
        last = min(first + BATCH, count)
        for number in range(first, last):
            path = good[rng.integers(len(good))]
            damage.damaged_copy(path, folder / f"{number:05d}-{path.name}", rng)

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
        watch.run(f"batch from {first}", restore, last - first)
        for path in good:
            name = "sensor.tif" if path.name == "sensor.dng" else path.name
            if not (output / "restored" / f"good-{name}").exists():
                watch.fail(f"good-{path.name} was not restored with the batch from {first}")
        if watch.failed > failed:
            folder.rename(output / f"wrong-{first}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(output / "restored", ignore_errors=True)
    refused = sum("Skipped." in line for line in messages)
    print(f"images: {count} damaged, {refused} refused by name, the others restored.")
