"""Pictures as Pillow reads and writes them, and the colour PNGs of 16 bits that it does not."""

from __future__ import annotations

import pathlib
import struct
import typing
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

from common.files import file_arrays
from common.files.errors import ImageError, short
from common.files.metadata import Metadata

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".avif")
HEIF = (".heic", ".heif")  # with the extra `heif`
CONVERTED = ("CMYK", "YCbCr", "HSV", "LAB")  # to RGB, so that a profile of theirs would be wrong
# EXIF's orientation -> (quarter turns counter-clockwise, then mirrored) that bring it upright.
TURNED = {2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (3, 1), 6: (3, 0), 7: (1, 1), 8: (1, 0)}


def read(path: pathlib.Path) -> tuple[np.ndarray, Metadata]:
    """Read a picture: (pixels (H, W, C), upright; metadata with EXIF data and colour profile).

    Raises:
        ImageError: several frames, or an extra that is not installed; Pillow raises others.
    """
    if path.suffix.lower() in HEIF:
        _open_heif(path)
    with Image.open(path) as picture:
        # A JPEG of several pictures, MPO, has a preview, or the other eye's view, behind the first.
        if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
            raise ImageError(f"{path}: {picture.n_frames} frames; save each as a file of its own.")
        deep = _is_deep_png(path, picture)
        size = picture.width * picture.height * len(picture.getbands()) * (2 if deep else 1)
        file_arrays.check_plausible(size, path.stat().st_size)
        profile = picture.info.get("icc_profile")
        exif = picture.getexif()
        if deep:
            array = _imagecodecs(path).png_decode(path.read_bytes())
            turns, mirrored = TURNED.get(exif.pop(0x0112, 1), (0, 0))
            array = np.rot90(array, turns)
            array = np.ascontiguousarray(array[:, ::-1] if mirrored else array)
            kept = exif.tobytes() if exif else None
            return array, Metadata(exif=kept, icc_profile=profile)
        lossless = picture.format == "WEBP" and _is_lossless(path)
        ImageOps.exif_transpose(picture, in_place=True)  # else it makes a copy
        exif = picture.getexif()
        metadata = Metadata(exif=exif.tobytes() if exif else None, lossless=lossless)
        if profile and picture.mode not in CONVERTED:
            metadata = metadata.replace(icc_profile=profile)
        if picture.mode == "P":
            picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
        elif picture.mode in CONVERTED:
            picture = picture.convert("RGB")
        array = np.array(picture)
    if picture.mode == "I" and array.min() >= 0 and array.max() < 65536:
        array = array.astype(np.uint16)  # how older Pillows read 16-bit grey
    return (array if array.ndim == 3 else array[..., None]), metadata


def write(
    temporary: pathlib.Path, path: pathlib.Path, array: np.ndarray, metadata: Metadata
) -> None:
    """Write a picture in the format of the suffix of `path`, with EXIF data and colour profile.

    Args:
        temporary: where to write it.
        path: of the file that it will become.
        array: (H, W, C), uint8; as PNG also uint16.
        metadata: of `read`.

    Raises:
        ImageError: the format can't hold this type, or so many channels or pixels; an extra that is
            not installed.
        OSError: from the disk.
    """
    suffix = path.suffix.lower()
    deep = suffix == ".png" and array.dtype == np.uint16
    if not (array.dtype == np.uint8 or deep) or array.ndim != 3 or array.shape[-1] > 4:
        raise ImageError(
            f"{path}: {suffix} can't hold {array.dtype} of shape {array.shape}; use .tif."
        )
    kept = ("exif", "icc_profile") if suffix != ".bmp" else ()
    values = {name: getattr(metadata, name) for name in kept}
    options: dict[str, typing.Any] = {k: v for k, v in values.items() if v is not None}
    if deep and array.shape[-1] > 1:
        temporary.write_bytes(_deep_png(path, array, **options))
        return
    if suffix in HEIF:
        _open_heif(path)
    if suffix == ".webp" and metadata.lossless:
        options["lossless"] = True
    elif suffix not in (".png", ".bmp"):
        options["quality"] = 95
    squeezed = array[..., 0] if array.shape[-1] == 1 else array
    try:
        PIL.Image.init()
        Image.fromarray(squeezed).save(temporary, PIL.Image.EXTENSION[suffix], **options)
    except (OSError, ValueError, SystemError) as error:  # larger than the format holds
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the disk
        sides = "x".join(map(str, squeezed.shape[:2]))
        raise ImageError(
            f"{path}: {suffix} can't hold it, {sides} pixels ({short(error)}); use .tif."
        ) from error


def _open_heif(path):
    """Lets Pillow read and write HEIF; raises ImageError without the extra."""
    try:
        import pillow_heif
    except ModuleNotFoundError:
        raise ImageError(f"{path}: HEIC needs the extra `heif`; or save it as PNG.") from None
    pillow_heif.register_heif_opener()


def _is_lossless(path):
    """Whether a WebP file, a RIFF of chunks, holds its image without loss."""
    with open(path, "rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, size = head[:4], int.from_bytes(head[4:], "little")
            if kind in (b"VP8L", b"VP8 "):
                return kind == b"VP8L"
            file.seek(size + size % 2, 1)
    return False


def _is_deep_png(path, picture):
    """Whether a file is a PNG of 16 bits with several channels; Pillow would halve its bits."""
    if picture.format != "PNG" or picture.mode not in ("RGB", "RGBA", "LA"):
        return False
    with open(path, "rb") as file:
        return file.read(25)[24] == 16


def _imagecodecs(path):
    try:
        import imagecodecs
    except ModuleNotFoundError:
        raise ImageError(
            f"{path}: 16-bit colour PNG needs the extra `png16`; or use .tif."
        ) from None
    return imagecodecs


def _deep_png(path, array, exif=None, icc_profile=None):
    """The bytes of a PNG of 16 bits and several channels."""
    encoded = bytes(_imagecodecs(path).png_encode(np.ascontiguousarray(array)))
    chunks = b""
    if icc_profile:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if exif:
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return encoded[:33] + chunks + encoded[33:]  # behind the header


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
