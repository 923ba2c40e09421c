"""Training files in HDF5, laid out as Laine et al. 2019 do."""

from __future__ import annotations

import pathlib

import h5py

from common.data import image_sets
from common.files.errors import ImageError


def load(path: pathlib.Path, max_images: int | None = None) -> image_sets.ImageSet:
    """Loads the images of a file with the data sets `images` and `shapes`.

    `images` holds variable-length uint8, (C, H, W) flattened; `shapes` int32 (n, 3) = C, H, W.

    Raises:
        ImageError: not such a file, or no usable image in it.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ImageError(f"{path}: not readable as HDF5 ({error}).") from error
    with file:
        flat, shapes = (file.get(name) for name in ("images", "shapes"))
        if not (isinstance(flat, h5py.Dataset) and isinstance(shapes, h5py.Dataset)):
            raise ImageError(
                f"{path}: expected data sets 'images' and 'shapes', found {sorted(file)}; "
                "`noise2x pack hdf5` writes such files."
            )
        if shapes.ndim != 2 or shapes.shape[1] != 3 or flat.shape != shapes.shape[:1]:
            raise ImageError(
                f"{path}: shapes is {shapes.shape}, images {flat.shape}; expected (n, 3) and (n,)."
            )

        def read_each():
            for i in range(len(flat)):
                try:
                    yield f"{i:06d}", image_sets.from_planes(flat[i], shapes[i])
                except (OSError, ValueError, RuntimeError, TypeError) as error:
                    yield f"{i:06d}", ImageError(f"{path}: image {i}: {error}")

        return image_sets.collect(str(path), read_each(), max_images)
