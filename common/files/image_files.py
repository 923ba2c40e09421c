"""Reading and writing image files: PNG, JPEG, TIFF, NPY, Zarr, raw data of cameras, ..."""

from __future__ import annotations

import pathlib
import typing

import numpy as np

from common.files import atomic, file_arrays, pictures, raws, tiffs, zarrs
from common.files.errors import ImageError, short
from common.files.file_arrays import LazyArray
from common.files.metadata import Metadata

SUFFIXES = (".tif", ".tiff", ".npy", *pictures.SUFFIXES)


def load(
    path: str | pathlib.Path, axes: str | None = None, max_bytes: int | None = None
) -> tuple[typing.Any, str, Metadata]:
    """Read a file as it is: (array, its axes, metadata).

    Args:
        path: the file.
        axes: letters for the axes of an NPY file, which does not name them [as in `read`].
        max_bytes: larger arrays in TIFF, NPY and Zarr files stay in the file and are read, as
            stored, where they are sliced; convert each slice with `usable` [all are read whole].

    Returns:
        array: converted by `usable`, or a LazyArray.
        axes: one letter for each axis: Y, X, S for colour samples; in a TIFF also tifffile's T, Z,
            C, I for pages and Q for unknown.
        metadata: for writing such a file again.

    Raises:
        ImageError: not readable, empty, not numeric, NaN or infinite values. Names the file.
    """
    path = pathlib.Path(path)
    if not path.is_file() and not is_zarr(path):
        raise ImageError(f"{path}: no such file.")
    if path.is_file() and path.stat().st_size == 0:
        raise ImageError(f"{path}: empty file.")
    try:
        array, letters, metadata = _read_any(path, axes, max_bytes)
    except ImageError as error:
        if str(error).startswith(str(path)):
            raise
        raise ImageError(f"{path}: {error}") from error
    except Exception as error:  # decoders raise nearly any error for damaged bytes
        raise ImageError(f"{path}: not readable as an image ({short(error)}).") from error
    metadata = metadata.replace(dtype=np.dtype(array.dtype).newbyteorder("="))
    check_values(path, array)
    if isinstance(array, np.ndarray):
        array = usable(path, array)
    return array, letters, metadata


def _read_any(path, axes, max_bytes):
    """Read a file in the format of its suffix: (array as stored, its axes, metadata)."""
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        try:
            return tiffs.read(path, max_bytes)
        except tiffs.OnlyPillowError as error:
            array, picture = pictures.read(path)
            return array, "YXS", _of_upright(error.metadata, picture)
    if suffix == ".npy":
        array = _load_npy(path, max_bytes)
        return array, _usual_axes(array.shape, axes), Metadata()
    if suffix == ".zarr":
        array, letters, metadata = zarrs.read(path)
        letters = letters or _usual_axes(array.shape, axes)
        if not max_bytes or array.nbytes <= max_bytes:
            array = array[...]
        return array, letters, metadata
    if suffix in raws.SUFFIXES:
        return raws.read(path), "QYX", Metadata(raw=path)
    array, metadata = pictures.read(path)
    return array, "YXS", metadata


def check_values(path: str | pathlib.Path, array: LazyArray) -> None:
    """Check that an array, in memory or in its file, can be an image.

    Raises:
        ImageError: no pixels, or values that are neither numbers nor bool.
    """
    if 0 in array.shape:
        raise ImageError(f"{path}: no pixels, shape {array.shape}.")
    if array.dtype.kind not in "iufb":
        raise ImageError(f"{path}: {array.dtype} values; expected integers or floats.")


def usable_type(dtype: np.dtype) -> np.dtype:
    """The type of values once read: uint8 and uint16 stay, bool becomes uint8, others float32."""
    dtype = dtype.newbyteorder("=")
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return dtype if dtype in (np.uint8, np.uint16) else np.dtype(np.float32)


def usable(path: str | pathlib.Path, array: np.ndarray) -> np.ndarray:
    """Convert an array as stored to its `usable_type`; bool becomes 0 and 255.

    Raises:
        ImageError: NaN or infinite values.
    """
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    array = array.astype(usable_type(array.dtype), copy=False)
    if array.dtype == np.float32 and not np.isfinite(array).all():
        bad = np.count_nonzero(~np.isfinite(array))
        raise ImageError(f"{path}: {bad} NaN or infinite values; replace them first.")
    return array


def _of_upright(metadata, picture):
    """A TIFF's metadata for its picture as Pillow gives it: upright, its colours converted."""
    resolution = metadata.resolution
    if resolution is not None and (metadata.orientation or 1) >= 5:  # X and Y have changed places
        resolution = resolution[::-1]
    return metadata.replace(
        orientation=None, resolution=resolution, icc_profile=picture.icc_profile
    )


def _load_npy(path, max_bytes):
    array = np.load(path, allow_pickle=False, mmap_mode="r" if max_bytes else None)
    if not max_bytes:
        return array
    if array.nbytes <= max_bytes or not array.flags.c_contiguous:
        return np.array(array)
    return file_arrays.Mapped(path, array.offset, array.shape, array.dtype)


def read(path: str | pathlib.Path) -> np.ndarray:
    """Read a file as pages.

    Args:
        path: a PNG, JPEG, TIFF, NPY, BMP or WebP file. All axes of a TIFF besides Y, X and colour
            samples count as pages. An NPY file holds (H, W), (H, W, C <= 4), (N, H, W > 4) or
            (N, H, W, C <= 4). A photograph is turned upright by its EXIF orientation; palettes
            become RGB.

    Returns:
        (pages, H, W, C): uint8 and uint16 as stored, bool as uint8 0 and 255, other integers and
        floats as float32.

    Raises:
        ImageError: not readable, empty, not numeric, NaN or infinite values. Names the file.
    """
    array, axes, _ = load(path)
    return as_pages(array, axes)


def as_pages(array: np.ndarray, axes: str) -> np.ndarray:
    """Arrange an array with the axes that `load` returned as (pages, H, W, C)."""
    if "S" not in axes:
        array, axes = array[..., None], axes + "S"
    order = [axes.index(axis) for axis in "YXS"]
    others = [i for i in range(len(axes)) if i not in order]
    array = array.transpose(others + order)
    return array.reshape((-1,) + array.shape[-3:])


def read_one(path: str | pathlib.Path) -> np.ndarray:
    """Read a file of a single page, (H, W, C). Raises ImageError for a stack."""
    pages = read(path)
    if len(pages) != 1:
        raise ImageError(f"{path}: {len(pages)} pages; expected one.")
    return pages[0]


def _usual_axes(shape, axes):
    """Letters for the axes of an array that names none: `axes` if the number is right."""
    if axes is not None and len(axes) == len(shape):
        return axes
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3:
        return "YXS" if shape[-1] <= 4 else "QYX"
    if len(shape) == 4 and shape[-1] <= 4:
        return "QYXS"
    raise ValueError(
        f"shape {shape}; expected (H, W), (H, W, C), (N, H, W) or (N, H, W, C), C up to 4"
    )


def write(path: str | pathlib.Path, pages: np.ndarray, metadata: Metadata | None = None) -> None:
    """Write an image in the format of the suffix, whole or not at all.

    Args:
        path: the file. PNG and JPEG hold uint8, PNG also uint16, TIFF and NPY all.
        pages: (H, W, C) or (pages, H, W, C).
        metadata: from `load`; EXIF data and colour profile of pictures are written again.

    Raises:
        ImageError: the format can't hold this type or number of channels or pages.
        OSError: from the disk; no half-written file stays.
    """
    path = pathlib.Path(path)
    pages = np.asarray(pages)
    array = pages[0] if pages.ndim == 4 and len(pages) == 1 else pages
    squeezed = array[..., 0] if array.shape[-1] == 1 else array
    suffix = path.suffix.lower()
    with atomic.replacing(path) as temporary:
        if suffix in (".tif", ".tiff"):
            axes = "Q" * (array.ndim - 3) + "YX" + "S" * (array.shape[-1] > 1)
            tiffs.write(temporary, squeezed, axes)
        elif suffix == ".npy":
            with open(temporary, "wb") as file:
                np.save(file, squeezed, allow_pickle=False)
        elif suffix in (*pictures.SUFFIXES, *pictures.HEIF):
            pictures.write(temporary, path, array, metadata or Metadata())
        else:
            raise ImageError(f"{path}: unknown suffix; expected one of {', '.join(SUFFIXES)}.")


def is_zarr(path: pathlib.Path) -> bool:
    """Whether a path is a folder whose name ends in .zarr: an array or a group in that format."""
    return path.suffix.lower() == ".zarr" and path.is_dir()
