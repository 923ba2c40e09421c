"""TIFF files with their axes and what microscopes write beside the pixels: ImageJ, OME, plain."""

import contextlib
import importlib.util
import logging
import math
import struct

import numpy as np
import tifffile

from common.files import file_arrays
from common.files.metadata import Metadata

# What it finds odd about a file it logs, tag by tag; what can't be read raises.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

IMAGEJ_TYPES = (np.uint8, np.uint16, np.float32)
IMAGEJ_KEPT = ("unit", "spacing", "finterval", "fps", "Info", "Labels")


class OnlyPillowError(ValueError):
    """A compressed picture of 8 bits a value, for which tifffile needs another package.

    metadata: of the file, which Pillow would not give.
    """

    def __init__(self, metadata: Metadata) -> None:
        super().__init__("compressed in a way that needs Pillow")
        self.metadata = metadata


def read(path, max_bytes=None):
    """(array as stored, its axes, metadata for `write`) of a pathlib.Path.

    An array of more than max_bytes stays in the file: what comes is read where it is sliced.

    Axes are tifffile's letters: Y, X, S for colour samples, T, Z, C, I for pages, Q for unknown.

    Raises:
        ValueError: pages of several shapes, no Y and X, a compression that can't be read; tifffile
            itself raises nearly anything for damaged files.
        OnlyPillowError: see there.
    """
    with tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        if series.is_multifile:
            raise ValueError("one of several files of an OME set; save each stack as one file")
        # A camera's thumbnail is marked as one; other pages of another shape are lost data.
        alike = [series, *(s for s in tiff.series[1:] if not s.keyframe.is_reduced)]
        kinds = {(s.shape, s.dtype) for s in alike}
        if len(kinds) > 1:
            shapes = ", ".join(sorted("x".join(map(str, shape)) for shape, _ in kinds)[:3])
            raise ValueError(
                f"pages of {len(kinds)} different kinds ({shapes}{', ...' * (len(kinds) > 3)}); "
                "save each kind as a file of its own"
            )
        axes = series.axes
        _check_size(path, alike)
        if max_bytes and series.nbytes * len(alike) > max_bytes:
            if len(alike) > 1:
                numbers = [i for i, s in enumerate(tiff.series) if s in alike]
                array, axes = _Pages(path, numbers, series), "I" + axes
            else:
                array = _in_file(path, series)
            if "Y" not in axes or "X" not in axes:
                raise ValueError(f"axes {axes}")
            return array, axes, _metadata(tiff)
        try:
            array = series.asarray()
            if len(alike) > 1:
                array, axes = np.stack([array, *(s.asarray() for s in alike[1:])]), "I" + axes
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            # LZW and other compressions: Pillow knows them, but halves what has 16 bits.
            if series.dtype.itemsize > 1 or len(series) > 1:
                raise ValueError("compressed; `pip install imagecodecs` reads it") from error
            raise OnlyPillowError(_metadata(tiff)) from error
        metadata = _metadata(tiff)
    if "Y" not in axes or "X" not in axes:
        raise ValueError(f"axes {axes}")
    return array, axes, metadata


def _check_size(path, series):
    """Raises ValueError if the file is too small for its images: tifffile would fill up with 0."""
    stored = path.stat().st_size
    size = sum(s.nbytes for s in series)
    file_arrays.check_plausible(size, stored)
    if all(s.keyframe.compression == 1 and not s.is_pyramidal for s in series) and size > stored:
        raise ValueError(f"cut off: images of {size} bytes in a file of {stored}")


def _in_file(path, series):
    """An array of a file too large for memory."""
    if series.dataoffset is not None:
        dtype = series.dtype.newbyteorder(series.keyframe.parent.byteorder)
        return file_arrays.Mapped(path, series.dataoffset, series.shape, dtype)
    if importlib.util.find_spec("zarr") is None:
        raise ValueError(
            "compressed, and larger than --memory_gb; pip install 'noise2x[zarr]' reads it in parts"
        )
    return _Compressed(path, series.shape, series.dtype)


class _Pages:
    """Pages that a file holds one by one, read where the first axis is sliced by a number."""

    def __init__(self, path, numbers, like):
        self._path, self._numbers = path, numbers
        self.shape, self.dtype = (len(numbers), *like.shape), np.dtype(like.dtype)
        self.ndim, self.nbytes = len(self.shape), len(numbers) * like.nbytes

    def __getitem__(self, index):
        number, *others = index
        with tifffile.TiffFile(self._path) as tiff:
            return tiff.series[self._numbers[number]].asarray()[tuple(others)]


class _Compressed:
    """An array inside a compressed file, decoded where it is sliced."""

    def __init__(self, path, shape, dtype):
        self._path, self.shape, self.dtype = path, tuple(shape), np.dtype(dtype)
        self.ndim, self.nbytes = len(shape), math.prod(shape) * self.dtype.itemsize

    def __getitem__(self, index):
        import zarr

        with tifffile.TiffFile(self._path) as tiff, tiff.series[0].aszarr(level=0) as store:
            return zarr.open(store, mode="r")[index]


def _metadata(tiff):
    values = {}
    page = tiff.pages[0]
    if "XResolution" in page.tags and "YResolution" in page.tags:
        pairs = (page.tags[name].value for name in ("XResolution", "YResolution"))
        values["resolution"] = tuple(a / b if b else 0.0 for a, b in pairs)
        if "ResolutionUnit" in page.tags:
            values["resolution_unit"] = int(page.tags["ResolutionUnit"].value)
    kept = {274: "orientation", 34675: "icc_profile"}
    values |= {name: page.tags[code].value for code, name in kept.items() if code in page.tags}
    if tiff.is_imagej:
        known = tiff.imagej_metadata or {}
        properties = {k: known[k] for k in IMAGEJ_KEPT if k in known}
        values |= {"kind": "imagej", "properties": properties}
    elif tiff.is_ome:
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
        kept = {k: v for k, v in pixels.items() if k.startswith(("PhysicalSize", "TimeIncrement"))}
        channels = pixels.get("Channel", [])
        channels = channels if isinstance(channels, list) else [channels]
        if all("Name" in channel for channel in channels) and channels:
            kept["Channel"] = {"Name": [channel["Name"] for channel in channels]}
        values |= {"kind": "ome", "properties": kept}
    return Metadata(**values)


def write(path, array, axes, metadata=None):
    """Writes an array with the axes that `read` gave, and the metadata: pixel sizes, kind of file.

    What ImageJ's kind can't hold, other types than uint8, uint16, float32 and more than 4 GB,
    becomes a plain TIFF.
    """
    with _naming():
        tifffile.imwrite(path, array, **_options(array.shape, array.dtype, axes, metadata))


def create(path, shape, dtype, axes, metadata=None):
    """An empty file as `write` would write it: a file_arrays.Mapped, to be written by slices."""
    options = _options(shape, np.dtype(dtype), axes, metadata)
    with _naming():
        mapped = tifffile.memmap(path, shape=shape, dtype=dtype, **options)
    return file_arrays.Mapped(path, mapped.offset, mapped.shape, mapped.dtype)


@contextlib.contextmanager
def _naming():
    """tifffile's own errors, that the metadata of a damaged file may lead to, as ValueError."""
    try:
        yield
    except (tifffile.TiffFileError, tifffile.OmeXmlError, struct.error) as error:
        raise ValueError(f"metadata that can't be written ({error})") from error


def _options(shape, dtype, axes, metadata):
    """How tifffile is to write it."""
    metadata = metadata or Metadata()
    samples = shape[axes.index("S")] if "S" in axes else 1
    options = {"photometric": "rgb" if samples >= 3 else "minisblack"}
    if samples > 1:
        options["planarconfig"] = "contig" if axes.endswith("S") else "separate"
    if samples in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    if metadata.resolution is not None:
        options["resolution"] = metadata.resolution
        options["resolutionunit"] = metadata.resolution_unit
    if metadata.icc_profile is not None:
        options["iccprofile"] = metadata.icc_profile
    if metadata.orientation is not None:  # the pixels lie as they did
        options["extratags"] = [(274, 3, 1, int(metadata.orientation), True)]
    kind = metadata.kind
    fits = dtype in IMAGEJ_TYPES and math.prod(shape) * dtype.itemsize < 2**32 - 2**16
    if kind == "imagej" and fits and set(axes) <= set("TZCYXS"):
        options |= {"imagej": True, "resolutionunit": None}
    elif kind == "ome" and set(axes) <= set("TZCYXS"):
        options |= {"ome": True}
    # A name that ends in .ome.tif would else decide.
    options.setdefault("ome", False)
    options["metadata"] = {"axes": axes, **metadata.properties}
    return {k: v for k, v in options.items() if v is not None}
