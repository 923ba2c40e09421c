"""What an image file holds besides its values, for writing such a file again."""

from __future__ import annotations

import dataclasses
import pathlib
import typing
from collections.abc import Mapping

import numpy as np


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What an image file holds besides its values.

    Attributes:
        dtype: type of the values as stored.
        axes: letters for the axes of the array in the file.
        kind: flavour of the file: "imagej", "ome", "zarr", or "" for a plain one.
        exif: EXIF data of a photograph, as bytes.
        icc_profile: colour profile of a photograph, as bytes.
        lossless: whether a WebP file holds its image without loss.
        resolution: pixels per unit along X and Y, in a TIFF.
        resolution_unit: TIFF's number for that unit.
        orientation: TIFF's tag for the directions of rows and columns; None for upright.
        properties: fields of ImageJ or OME: pixel sizes, names of channels, ...
        zarr_array: the array of a Zarr folder; the output gets its format and chunks.
        zarr_attributes: attributes of an OME-Zarr group.
        raw: the file of a camera's raw data; its planes are developed when they are written.
    """

    dtype: np.dtype | None = None
    axes: str = ""
    kind: str = ""
    exif: bytes | None = None
    icc_profile: bytes | None = None
    lossless: bool = False
    resolution: tuple[float, float] | None = None
    resolution_unit: int | None = None
    orientation: int | None = None
    properties: Mapping[str, typing.Any] = dataclasses.field(default_factory=dict)
    zarr_array: typing.Any = None
    zarr_attributes: Mapping[str, typing.Any] | None = None
    raw: pathlib.Path | None = None

    def replace(self, **changes: typing.Any) -> Metadata:
        """A copy with other values of the named attributes."""
        return dataclasses.replace(self, **changes)

    def smaller_pixels(self, scale: int) -> Metadata:
        """A copy for an image whose pixels are `scale` times smaller along Y and X."""
        from common.files import zarrs

        sizes = ("PhysicalSizeX", "PhysicalSizeY")
        changes: dict[str, typing.Any] = {
            "properties": {
                k: v / scale if k in sizes and isinstance(v, (int, float)) else v
                for k, v in self.properties.items()
                if k not in ("ROI", "Overlays")  # ImageJ's outlines, in pixels
            }
        }
        if self.resolution is not None:
            changes["resolution"] = tuple(n * scale for n in self.resolution)
        if self.zarr_attributes:
            changes["zarr_attributes"] = zarrs.smaller_pixels(self.zarr_attributes, scale)
        return self.replace(**changes)
