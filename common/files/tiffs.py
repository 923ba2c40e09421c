"""TIFF files with their axes and the metadata of microscopes: ImageJ, OME, plain."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import pathlib
import struct
import typing
from collections.abc import Sequence

import numpy as np
import tifffile

from common.files import file_arrays
from common.files.file_arrays import LazyArray
from common.files.metadata import Metadata

# tifffile logs every odd tag of a file. Files that can't be read raise an error in any case.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

IMAGEJ_TYPES = (np.uint8, np.uint16, np.float32)
IMAGEJ_KEPT = (
    *("unit", "spacing", "finterval", "fps", "Info", "Labels"),
    *("mode", "LUTs", "Ranges", "min", "max", "ROI", "Overlays"),  # how ImageJ shows it
)


class OnlyPillowError(ValueError):
    """A picture with 8 bits per value is compressed in a way that only Pillow reads.

    metadata: of the file; Pillow does not read all of it.
    """

    def __init__(self, metadata: Metadata) -> None:
        super().__init__("compressed in a way that needs Pillow")
        self.metadata = metadata


def _refuse_circle(tiff: tifffile.TiffFile) -> None:
    """Raise ValueError if a page's link leads back to an earlier one: tifffile would never end."""
    form, file = tiff.tiff, tiff.filehandle
    offset, seen = tiff.pages.first.offset, set()
    while offset:
        if offset in seen:
            raise ValueError("damaged: its pages lead back to one another in a circle")
        seen.add(offset)
        file.seek(offset)
        try:
            (tags,) = struct.unpack(form.tagnoformat, file.read(form.tagnosize))
            file.seek(offset + form.tagnosize + tags * form.tagsize)
            (offset,) = struct.unpack(form.offsetformat, file.read(form.offsetsize))
        except struct.error:  # the file ends; what is missing shows when it is read
            return


def read(path: pathlib.Path, max_bytes: int | None = None) -> tuple[LazyArray, str, Metadata]:
    """Read a TIFF file: (array as stored, its axes, metadata for `write`).

    Axes are tifffile's letters: Y, X, S for colour samples, T, Z, C, I for pages, Q for unknown.

    Args:
        path: the file.
        max_bytes: a larger array stays in the file and is read where it is sliced [read at once].

    Raises:
        ValueError: pages of several shapes, no Y and X, a compression that can't be read; tifffile
            itself raises nearly any error for damaged files.
        OnlyPillowError: Pillow has to read the file.
    """
    with tifffile.TiffFile(path) as tiff:
        _refuse_circle(tiff)
        series = tiff.series[0]
        if series.is_multifile:
            raise ValueError("one of several files of an OME set; save each stack as one file")
        # A camera marks its thumbnail. Any other page of another shape is data that would get lost.
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
        array: typing.Any
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
            # LZW and other compressions: Pillow knows them, but reduces 16 bits to 8.
            if series.dtype.itemsize > 1 or len(series) > 1:
                raise ValueError("compressed; `pip install imagecodecs` reads it") from error
            raise OnlyPillowError(_metadata(tiff)) from error
        metadata = _metadata(tiff)
    if "Y" not in axes or "X" not in axes:
        raise ValueError(f"axes {axes}")
    return array, axes, metadata


def _check_size(path, series):
    """Raise ValueError if the file is too small for its images; tifffile would fill them with 0."""
    stored = path.stat().st_size
    size = sum(s.nbytes for s in series)
    file_arrays.check_plausible(size, stored)
    if all(s.keyframe.compression == 1 and not s.is_pyramidal for s in series) and size > stored:
        raise ValueError(f"cut off: images of {size} bytes in a file of {stored}")


def _in_file(path, series):
    """The array of a series, to be read where it is sliced."""
    if series.dataoffset is not None:
        dtype = series.dtype.newbyteorder(series.keyframe.parent.byteorder)
        return file_arrays.Mapped(path, series.dataoffset, series.shape, dtype)
    if importlib.util.find_spec("zarr") is None:
        raise ValueError(
            "compressed, and larger than --memory_gb; pip install 'noise2x[zarr]' reads it in parts"
        )
    return _Compressed(path, series.shape, series.dtype)


class _Pages:
    """An array of separate pages. The first index must be a number; its page is read then."""

    def __init__(self, path, numbers, like):
        self._path, self._numbers = path, numbers
        self.shape, self.dtype = (len(numbers), *like.shape), np.dtype(like.dtype)
        self.ndim, self.nbytes = len(self.shape), len(numbers) * like.nbytes

    def __getitem__(self, index):
        number, *others = index
        with tifffile.TiffFile(self._path) as tiff:
            return tiff.series[self._numbers[number]].asarray()[tuple(others)]


class _Compressed:
    """An array in a compressed file, decoded where it is sliced."""

    def __init__(self, path, shape, dtype):
        self._path, self.shape, self.dtype = path, tuple(shape), np.dtype(dtype)
        self.ndim, self.nbytes = len(shape), math.prod(shape) * self.dtype.itemsize

    def __getitem__(self, index):
        import zarr

        with tifffile.TiffFile(self._path) as tiff, tiff.series[0].aszarr(level=0) as store:
            return zarr.open(store, mode="r")[index]


def _metadata(tiff):
    """The metadata of an open file."""
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


def write(
    path: str | pathlib.Path, array: np.ndarray, axes: str, metadata: Metadata | None = None
) -> None:
    """Write an array with its axes and metadata, which hold pixel sizes and the kind of file.

    ImageJ's kind holds uint8, uint16 and float32, and less than 4 GB. Other arrays become plain
    TIFF files.

    Raises:
        ValueError: the metadata can't be written.
    """
    with _naming():
        tifffile.imwrite(path, array, **_options(array.shape, array.dtype, axes, metadata))


def create(
    path: str | pathlib.Path,
    shape: Sequence[int],
    dtype: np.typing.DTypeLike,
    axes: str,
    metadata: Metadata | None = None,
) -> file_arrays.Mapped:
    """Create an empty file as `write` would write it; return its array, to be filled by slices.

    Raises:
        ValueError: the metadata can't be written.
    """
    options = _options(shape, np.dtype(dtype), axes, metadata)
    with _naming():
        mapped = tifffile.memmap(path, shape=shape, dtype=dtype, **options)
    return file_arrays.Mapped(path, mapped.offset, mapped.shape, mapped.dtype)


@contextlib.contextmanager
def _naming():
    """Turn tifffile's errors, to which damaged metadata may lead, into ValueError."""
    try:
        yield
    except (tifffile.TiffFileError, tifffile.OmeXmlError, struct.error) as error:
        raise ValueError(f"metadata that can't be written ({error})") from error


def _options(shape, dtype, axes, metadata):
    """Arguments with which tifffile writes such a file."""
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
    if metadata.orientation is not None:  # the pixels have not been turned
        options["extratags"] = [(274, 3, 1, int(metadata.orientation), True)]
    kind = metadata.kind
    fits = dtype in IMAGEJ_TYPES and math.prod(shape) * dtype.itemsize < 2**32 - 2**16
    if kind == "imagej" and fits and set(axes) <= set("TZCYXS"):
        options |= {"imagej": True, "resolutionunit": None}
    elif kind == "ome" and set(axes) <= set("TZCYXS"):
        options |= {"ome": True}
    # Without it, tifffile would write OME for any name that ends in .ome.tif.
    options.setdefault("ome", False)
    options["metadata"] = {"axes": axes, **metadata.properties}
    return {k: v for k, v in options.items() if v is not None}
