"""Zarr folders: plain arrays, and OME-Zarr images of which the finest resolution is taken.

Needs the extra `zarr`. OME-Zarr: https://ngff.openmicroscopy.org, versions 0.4 and 0.5.
"""

import copy
import importlib.util

from common.files import file_arrays
from common.files.metadata import Metadata

LETTERS = {"t": "T", "c": "C", "z": "Z", "y": "Y", "x": "X"}


def read(path):
    """(array, its axes or None where nobody says, metadata for `create`).

    The array is zarr's, read where it is sliced.

    Raises:
        ValueError: the extra is not installed, or an OME-Zarr without an image. zarr itself raises
            nearly anything for damaged folders.
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
        raise ValueError(f"{array.ndim} axes, of which {len(axes)} have names")
    attributes = opened.attrs.asdict()
    return array, axes, Metadata(kind="zarr", zarr_array=array, zarr_attributes=attributes)


def _check(array):
    """Chunks that are missing count as zeros: of a damaged size there are many."""
    if array.nbytes > file_arrays.LARGE:
        file_arrays.check_plausible(array.nbytes, array.nbytes_stored())


def create(path, shape, dtype, metadata, chunks=None):
    """A new folder of a shape and type, with the format, chunks and attributes that `read` found.

    Returns:
        The array, to be written by slices.
    """
    zarr = _zarr()
    like = metadata.zarr_array
    settings = {
        "shape": shape,
        "dtype": dtype,
        "chunks": chunks or tuple(min(n, side) for n, side in zip(like.chunks, shape)),
        "config": {"write_empty_chunks": True},  # a chunk that is there is one that is done
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


def open_to_write(path):
    """The array of a folder that `create` made."""
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


def smaller_pixels(attributes, scale):
    """The attributes of an OME-Zarr whose pixels are so many times smaller along Y and X."""
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
            # Of the middle of the first pixel, which is nearer to the edge now.
            change["translation"] = [
                n - size * (1 - 1 / scale) / 2 if name.lower() in "yx" else n
                for name, n, size in zip(names, shifts, sizes)
            ]
    return attributes


def _are_numbers(values, count):
    """Whether they are a list of so many; of a damaged file they may be anything."""
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, (int, float)) for value in values)
    )


def _of_one_resolution(attributes):
    attributes = copy.deepcopy(attributes)
    place = attributes.get("ome", attributes)
    image = place["multiscales"][0]
    image["datasets"] = [image["datasets"][0] | {"path": "0"}]
    place["multiscales"] = [image]
    return attributes
