"""Raw data of cameras: four planes of the sensor's colour filters to restore, then a picture.

Restoring comes first, developing second: in raw data every pixel has noise of its own, while
developing (demosaicing) mixes neighbours, so that noise looks like detail to a network that learns
from noisy images alone. Needs the extra `raw`, rawpy and its LibRaw.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import pathlib
import struct
import typing
from collections.abc import Iterator

import numpy as np
import tifffile
from PIL import ImageCms

from common.files.errors import ImageError, short

SUFFIXES = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2")
# The noise of light grows with the light, and that of its square root is even. Near black a sensor
# has noise of its own, and the root would be steep: this share of full light is added before.
OFFSET = 1 / 256
BLACK = 1024  # of 65535, in data that are handed to LibRaw: noise goes below black


def is_installed() -> bool:
    """Whether the extra `raw` is there."""
    return importlib.util.find_spec("rawpy") is not None


def read(path: pathlib.Path) -> np.ndarray:
    """Read the planes of a raw file: the pixels of each of the four places of the colour filter.

    Returns:
        (4, H / 2, W / 2) float32: square roots of the light that was counted, 0 about black and 1
        at the sensor's white level; see `to_light`.

    Raises:
        ImageError: no raw data, or none of a sensor with 2x2 colour filters (Bayer).
    """
    with _opened(path) as raw:
        return to_root(_planes(_light(path, raw)))


def to_root(light: np.ndarray) -> np.ndarray:
    """sqrt(light + OFFSET), scaled so that 1 stays 1; light below -OFFSET is cut off."""
    root = np.sqrt(np.maximum(light + OFFSET, 0.0) / (1.0 + OFFSET))
    return root.astype(np.float32)


def to_light(root: np.ndarray) -> np.ndarray:
    """The inverse of `to_root`."""
    return np.square(root.astype(np.float64)) * (1.0 + OFFSET) - OFFSET


def develop(temporary: pathlib.Path, path: pathlib.Path, planes: np.ndarray) -> None:
    """Write the picture of a raw file whose planes were restored.

    A linear TIFF, (H, W, 3) of 16 bits in sRGB's primaries with a colour profile that says so, as
    LibRaw develops it: white balance of the camera, upright, nothing made brighter.

    Each plane keeps its mean: restored roots are means of roots, whose squares are a little less
    than the means of the squares. Pixels that were at the white level stay there.

    Args:
        temporary: where to write it.
        path: the raw file.
        planes: restored, as `read` returns them.

    Raises:
        ImageError: planes of other sides than the file's, or not its file any more.
    """
    import rawpy

    with _opened(path) as raw:
        whole = _light(path, raw)
        light = _planes(whole)
        if planes.shape != light.shape:
            raise ImageError(f"{path}: raw data can't be enlarged; develop the picture first.")
        restored = to_light(planes)
        restored += (light - restored).mean(axis=(1, 2), keepdims=True)
        restored = np.where(light >= 1.0, light, restored)
        height, width = light.shape[1:]
        # Where a sensor has odd sides, its last row or column stays as it is.
        for number, (y, x) in enumerate(np.ndindex(2, 2)):
            whole[y : 2 * height : 2, x : 2 * width : 2] = restored[number]
        scaled = np.round(BLACK + whole * (65535 - BLACK))
        raw.raw_image_visible[:] = np.clip(scaled, 0, 65535).astype(np.uint16)
        picture = raw.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            output_bps=16,
            use_camera_wb=True,
            user_black=BLACK,
            user_cblack=[0, 0, 0, 0],
            user_sat=65535 - BLACK,
            output_color=rawpy.ColorSpace.sRGB,
        )
    if picture.shape[-1] != 3:
        raise ImageError(f"{path}: no colours; its raw data are damaged.")
    tifffile.imwrite(temporary, picture, photometric="rgb", iccprofile=_linear_profile())


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[typing.Any]:
    """A raw file, open."""
    if not is_installed():
        raise ImageError(f"{path}: raw data of a camera need the extra `raw`.")
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(path.read_bytes())) as raw:
            yield raw
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        text = reason.decode() if isinstance(reason, bytes) else short(error)
        raise ImageError(f"{path}: not readable as raw data ({text}).") from error


def _light(path, raw):
    """The light that every pixel counted, (H, W) float32, 0 at black and 1 at the white level."""
    pattern = raw.raw_pattern
    if raw.raw_type.name != "Flat" or pattern is None or pattern.shape != (2, 2):
        raise ImageError(
            f"{path}: no sensor with 2x2 colour filters; develop it to a 16-bit TIFF first."
        )
    pixels = raw.raw_image_visible.astype(np.float32)
    if min(pixels.shape) < 2:
        raise ImageError(f"{path}: no pixels.")
    colours = raw.raw_colors_visible
    whites = raw.camera_white_level_per_channel
    whites = whites if whites and all(whites) else [raw.white_level] * 4
    black, white = (
        np.asarray(levels, np.float32)[colours] for levels in (raw.black_level_per_channel, whites)
    )
    if not (white > black).all():
        raise ImageError(f"{path}: damaged, white level {white.min()} and black {black.max()}.")
    return (pixels - black) / (white - black)


def _planes(light):
    """The pixels of each place of the colour filter: (H, W) to (4, H / 2, W / 2)."""
    height, width = (side // 2 for side in light.shape)
    places = light[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
    return places.transpose(1, 3, 0, 2).reshape(4, height, width)


def _linear_profile():
    """A colour profile of sRGB's primaries for values that are proportional to light."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)  # sRGB's, with five parameters
    linear = b"para" + bytes(4) + struct.pack(">HHi", 0, 0, 0x10000)  # a power of 1
    start = profile.index(curve)
    return profile[:start] + linear + profile[start + len(linear) :]
