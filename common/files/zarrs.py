"""Zarr folders: plain arrays, and the finest resolution of OME-Zarr images.

Needs the extra `zarr`. OME-Zarr: https://ngff.openmicroscopy.org, versions 0.4 and 0.5.
"""

from __future__ import annotations

import copy
import importlib.util
import pathlib
import typing
from collections.abc import Mapping, Sequence

import numpy as np

from common.files import file_arrays
from common.files.metadata import Metadata

LETTERS = {"t": "T", "c": "C", "z": "Z", "y": "Y", "x": "X"}


def read(path: str | pathlib.Path) -> tuple[typing.Any, str | None, Metadata]:
    """Open a Zarr folder: (zarr.Array, its axes, metadata for `create`).

    The array is read where it is sliced. The axes are None for a plain array, which names none.

    Raises:
        ValueError: the extra is not installed, or the folder holds no image. zarr itself raises
            nearly any error for damaged folders.
    """
    zarr = _zarr()
    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        _check(opened)
        return opened, None, Metadata(kind="zarr", zarr_array=opened)
    image = _image(opened.attrs.asdict())
    if image is None:
        raise ValueError("a group, no array, and no OME-Zarr image")
    array = opened[image["datasets"][0]["path"]]
    _check(array)
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in image["axes"]]
    axes = "".join(LETTERS.get(name.lower(), "Q") for name in names)
    if len(axes) != array.ndim:
        raise ValueError(f"{array.ndim} axes, but {len(axes)} names for them")
    attributes = opened.attrs.asdict()
    return array, axes, Metadata(kind="zarr", zarr_array=array, zarr_attributes=attributes)


def _check(array):
    """Refuse an array that is far too large for its stored chunks.

    zarr reads missing chunks as zeros, so a damaged shape would pass for a huge black image.
    """
    if array.nbytes > file_arrays.LARGE:
        file_arrays.check_plausible(array.nbytes, array.nbytes_stored())


def create(
    path: str | pathlib.Path,
    shape: Sequence[int],
    dtype: np.typing.DTypeLike,
    metadata: Metadata,
    chunks: Sequence[int] | None = None,
) -> typing.Any:
    """Create a Zarr folder with the format and attributes of the one that `read` opened.

    Args:
        path: the new folder.
        shape: length of every axis.
        dtype: type of the values.
        metadata: from `read`.
        chunks: length of a chunk along every axis [that of the folder that was read].

    Returns:
        zarr.Array, to be filled by slices.
    """
    zarr = _zarr()
    like = metadata.zarr_array
    settings: dict[str, typing.Any] = {
        "shape": shape,
        "dtype": dtype,
        "chunks": chunks or tuple(min(n, side) for n, side in zip(like.chunks, shape)),
        "config": {"write_empty_chunks": True},  # every chunk that is done has a file
    }
    version = like.metadata.zarr_format
    if version == 3:
        settings["dimension_names"] = like.metadata.dimension_names
    else:
        separator = like.metadata.dimension_separator
        settings["chunk_key_encoding"] = {"name": "v2", "separator": separator}
    attributes = metadata.zarr_attributes
    if attributes is None:
        array = zarr.create_array(str(path), zarr_format=version, **settings)
        array.attrs.update(like.attrs.asdict())
        return array
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    group.attrs.update(_of_one_resolution(attributes))
    return group.create_array("0", **settings)


def open_to_write(path: str | pathlib.Path) -> typing.Any:
    """Open the zarr.Array of a folder that `create` made, to write into it."""
    opened = _zarr().open(str(path), mode="r+")
    return opened["0"] if hasattr(opened, "create_array") else opened


def _zarr():
    if importlib.util.find_spec("zarr") is None:
        raise ValueError("Zarr files: not installed; pip install 'noise2x[zarr]'")
    import zarr

    return zarr


def _image(attributes):
    """The first multiscale image of a group's attributes, or None."""
    images = attributes.get("ome", attributes).get("multiscales")
    return images[0] if images else None


def smaller_pixels(attributes: Mapping[str, typing.Any], scale: int) -> Mapping[str, typing.Any]:
    """Attributes of an OME-Zarr image whose pixels are `scale` times smaller along Y and X."""
    attributes = copy.deepcopy(attributes)
    image = _image(attributes)
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in image["axes"]]
    changes = image["datasets"][0].get("coordinateTransformations")
    changes = [c for c in changes if isinstance(c, dict)] if isinstance(changes, list) else []
    sizes = [1.0] * len(names)
    for change in changes:
        if _are_numbers(scales := change.get("scale"), len(names)):
            sizes = scales
            pairs = zip(names, scales)
            change["scale"] = [n / scale if name.lower() in "yx" else n for name, n in pairs]
    for change in changes:
        if _are_numbers(shifts := change.get("translation"), len(names)):
            # The translation is that of the first pixel's centre, which is nearer to the edge now.
            change["translation"] = [
                n - size * (1 - 1 / scale) / 2 if name.lower() in "yx" else n
                for name, n, size in zip(names, shifts, sizes)
            ]
    return attributes


def _are_numbers(values, count):
    """Whether `values` is a list of `count` numbers; in a damaged file it may be anything."""
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, (int, float)) for value in values)
    )


def _of_one_resolution(attributes):
    """The attributes of an OME-Zarr image with its finest resolution alone, at the path 0."""
    attributes = copy.deepcopy(attributes)
    place = attributes.get("ome", attributes)
    image = place["multiscales"][0]
    image["datasets"] = [image["datasets"][0] | {"path": "0"}]
    place["multiscales"] = [image]
    return attributes
