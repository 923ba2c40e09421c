"""Image files in and out: PNG, JPEG, TIFF (8, 16 bit, float, stacks), NPY; their value ranges.

Inside the house an image is (H, W, C) in the file's own type; `to_unit` scales it to float32 in
[0, 1], `from_unit` back.
"""

import os
import pathlib

import numpy as np
import PIL
from PIL import Image, ImageOps

from common import files, tiffs, zarrs

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".bmp", ".webp")


class ImageError(ValueError):
    """A file that is no usable image; the message names it."""


def load(path, axes=None, max_bytes=None):
    """Reads a file as it is: (array, axes, metadata).

    axes: letters for those of an NPY file, which has none of its own; None: as `read` takes them.
    max_bytes: arrays of more than that, of TIFF, NPY and Zarr files, stay in the file and are read
        where they are sliced, as stored: what that gives is for `usable`.

    Returns:
        array: as `usable` gives it. axes: a letter for each of its axes: Y, X, S for colour
        samples, and of a TIFF what tifffile calls the others: T, Z, C, I for pages, Q for unknown.
        metadata: for writing such a file again, with the stored `dtype`.

    Raises:
        ImageError: not readable, empty, not numeric, NaN or infinite values. Names the file.
    """
    path = pathlib.Path(path)
    if not path.is_file() and not is_zarr(path):
        raise ImageError(f"{path}: no such file.")
    if path.is_file() and path.stat().st_size == 0:
        raise ImageError(f"{path}: empty file.")
    suffix, metadata = path.suffix.lower(), {}
    try:
        if suffix in (".tif", ".tiff"):
            try:
                array, found, metadata = tiffs.read(path, max_bytes)
            except tiffs.OnlyPillowError:
                array, metadata = _read_picture(path)
                found = "YXS"
        elif suffix == ".npy":
            array = _load_npy(path, max_bytes)
            found = _usual_axes(array.shape, axes)
        elif suffix == ".zarr":
            array, found, metadata = zarrs.read(path)
            found = found or _usual_axes(array.shape, axes)
            if not max_bytes or array.nbytes <= max_bytes:
                array = array[...]
        else:
            array, metadata = _read_picture(path)
            found = "YXS"
    except Exception as error:  # decoders fed with damaged bytes raise nearly anything
        raise ImageError(f"{path}: not readable as an image ({short(error)}).") from error
    metadata["dtype"] = np.dtype(array.dtype).newbyteorder("=")
    check_values(path, array)
    if isinstance(array, np.ndarray):
        array = usable(path, array)
    return array, found, metadata


def check_values(path, array):
    """Raises ImageError for an array, in memory or not, that can be no image."""
    if 0 in array.shape:
        raise ImageError(f"{path}: no pixels, shape {array.shape}.")
    if array.dtype.kind not in "iufb":
        raise ImageError(f"{path}: {array.dtype} values; expected integers or floats.")


def usable_type(dtype):
    """uint8 and uint16 stay, bool becomes uint8, all others float32."""
    dtype = dtype.newbyteorder("=")
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return dtype if dtype in (np.uint8, np.uint16) else np.dtype(np.float32)


def usable(path, array):
    """An array as stored, of its `usable_type`; bool becomes 0 and 255.

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


def _load_npy(path, max_bytes):
    array = np.load(path, allow_pickle=False, mmap_mode="r" if max_bytes else None)
    if not max_bytes:
        return array
    if array.nbytes <= max_bytes or not array.flags.c_contiguous:
        return np.array(array)
    return files.Mapped(path, array.offset, array.shape, array.dtype)


def read(path):
    """Reads a file as pages.

    Args:
        path: of a PNG, JPEG, TIFF, NPY, BMP or WebP file. Pages of a TIFF are whatever axes it has
            besides Y, X and colour samples; an NPY file holds (H, W), (H, W, C <= 4),
            (N, H, W > 4) or (N, H, W, C <= 4). A photograph is turned upright by its EXIF
            orientation; palettes become RGB.

    Returns:
        (pages, H, W, C): bool becomes uint8 0 and 255; uint8 and uint16 as stored, other integers
        and floats as float32.

    Raises:
        ImageError: not readable, empty, not numeric, NaN or infinite values. Names the file.
    """
    array, axes, _ = load(path)
    return as_pages(array, axes)


def as_pages(array, axes):
    """An array with the axes of `load` as (pages, H, W, C)."""
    if "S" not in axes:
        array, axes = array[..., None], axes + "S"
    order = [axes.index(axis) for axis in "YXS"]
    others = [i for i in range(len(axes)) if i not in order]
    array = array.transpose(others + order)
    return array.reshape((-1,) + array.shape[-3:])


def read_one(path):
    """Reads a file of a single page, (H, W, C). Raises ImageError for a stack."""
    pages = read(path)
    if len(pages) != 1:
        raise ImageError(f"{path}: {len(pages)} pages; expected one.")
    return pages[0]


def short(error):
    """The first line of an error's message."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _usual_axes(shape, given):
    """Letters for the axes of an array that has none, or those given if they are as many."""
    if given is not None and len(given) == len(shape):
        return given
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3:
        return "YXS" if shape[-1] <= 4 else "QYX"
    if len(shape) == 4 and shape[-1] <= 4:
        return "QYXS"
    raise ValueError(
        f"shape {shape}; expected (H, W), (H, W, C), (N, H, W) or (N, H, W, C), C up to 4"
    )


def _read_picture(path):
    """(pixels, upright, metadata for `write`: EXIF data and colour profile)."""
    with Image.open(path) as picture:
        # Pillow reads 16-bit colour PNGs as 8 bit without a word.
        if picture.format == "PNG" and picture.mode in ("RGB", "RGBA", "LA"):
            with open(path, "rb") as file:
                if file.read(25)[24] == 16:
                    raise ImageError(
                        f"{path}: 16-bit colour PNG is not supported; save it as TIFF."
                    )
        size = picture.width * picture.height * len(picture.getbands())
        files.check_plausible(size, path.stat().st_size)
        profile = picture.info.get("icc_profile")
        picture = ImageOps.exif_transpose(picture)
        metadata = {"exif": picture.getexif().tobytes()} if picture.getexif() else {}
        if profile and picture.mode not in ("CMYK", "YCbCr", "HSV", "LAB"):
            metadata["icc_profile"] = profile  # of those it would be wrong afterwards
        if picture.mode == "P":
            picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
        elif picture.mode in ("CMYK", "YCbCr", "HSV", "LAB"):
            picture = picture.convert("RGB")
        array = np.array(picture)
    if picture.mode == "I" and array.min() >= 0 and array.max() < 65536:
        array = array.astype(np.uint16)  # how older Pillows read 16-bit grey
    return (array if array.ndim == 3 else array[..., None]), metadata


def write(path, pages, metadata=None):
    """Writes (H, W, C) or (pages, H, W, C) in the format of the suffix, whole or not at all.

    metadata: of `load`; EXIF data and colour profile of pictures are written again.

    PNG and JPEG take uint8 (PNG also one-channel uint16), TIFF and NPY any type.

    Raises:
        ImageError: a type, channel or page count the format can't hold.
        OSError: from the disk; no half-written file stays.
    """
    path = pathlib.Path(path)
    pages = np.asarray(pages)
    array = pages[0] if pages.ndim == 4 and len(pages) == 1 else pages
    squeezed = array[..., 0] if array.shape[-1] == 1 else array
    suffix = path.suffix.lower()
    with files.replacing(path) as temporary:
        if suffix in (".tif", ".tiff"):
            axes = "Q" * (array.ndim - 3) + "YX" + "S" * (array.shape[-1] > 1)
            tiffs.write(temporary, squeezed, axes)
        elif suffix == ".npy":
            with open(temporary, "wb") as file:
                np.save(file, squeezed, allow_pickle=False)
        elif suffix in SUFFIXES:
            depth_fits = array.dtype == np.uint8 or (
                suffix == ".png" and array.dtype == np.uint16 and array.shape[-1] == 1
            )
            if array.ndim == 4 or not depth_fits:
                raise ImageError(
                    f"{path}: {suffix} can't hold {array.dtype} of shape {array.shape}; use .tif."
                )
            kept = ("exif", "icc_profile") if suffix != ".bmp" else ()
            options = {k: v for k, v in (metadata or {}).items() if k in kept}
            if suffix in (".jpg", ".jpeg"):
                options["quality"] = 95
            try:
                Image.fromarray(squeezed).save(temporary, _format(suffix), **options)
            except (OSError, ValueError, SystemError) as error:  # larger than the format holds
                if isinstance(error, OSError) and error.errno is not None:
                    raise  # the disk's
                sides = "x".join(map(str, squeezed.shape[:2]))
                raise ImageError(
                    f"{path}: {suffix} can't hold it, {sides} pixels ({short(error)}); use .tif."
                ) from error
        else:
            raise ImageError(f"{path}: unknown suffix; expected one of {', '.join(SUFFIXES)}.")


def _format(suffix):
    PIL.Image.init()
    return PIL.Image.EXTENSION[suffix]


def white_level(dtype, given=0.0):
    """The stored value of 1.0: `given`, or else an integer type's largest, 1 for floats."""
    if given:
        return float(given)
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def to_unit(image, white=0.0):
    """Scales an array to float32 by its `white_level`: uint8 255 -> 1.0. Nothing is clipped."""
    return np.asarray(image, np.float32) * np.float32(1.0 / white_level(image.dtype, white))


def from_unit(image, dtype, white=0.0):
    """Back from [0, 1] to `dtype`: integers are rounded half up and clipped, floats only scaled.

    For uint8 it is clip(value * 255 + 0.5) truncated, the originals' rule: tests/golden/psnr.npz.
    """
    scaled = np.asarray(image) * white_level(dtype, white)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return np.clip(np.floor(scaled + 0.5), limits.min, limits.max).astype(dtype)
    return scaled.astype(dtype)


def to_channels(image, channels):
    """Makes (H, W, C) an image of 1 or 3 channels, as the original does (tests/golden/psnr.npz).

    Alpha is dropped; colour to grey is the mean, rounded half to even for integers; grey is tiled.
    An image that has as many channels as asked for, be it five, comes back as it is.

    Raises:
        ImageError: neither 1, 2, 3 nor 4 channels came.
    """
    if image.shape[-1] == channels:
        return image
    if image.shape[-1] not in (1, 2, 3, 4):
        raise ImageError(f"{image.shape[-1]} channels: expected 1 or 3, with or without alpha.")
    image = image[..., : 3 if image.shape[-1] >= 3 else 1]
    if image.shape[-1] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    mean = image.mean(axis=-1, keepdims=True, dtype=np.float64)
    if np.issubdtype(image.dtype, np.integer):
        mean = np.rint(mean)
    return mean.astype(image.dtype)


# (turns, mirrored) of the 8 ways to lay a picture down.
ORIENTATIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


def resize(image, sides, way=Image.BICUBIC):
    """(H, W, C) float -> (*sides, C) float32; widened against aliasing if it shrinks.

    way: of Pillow's, BICUBIC being Keys' (1981) of a = -0.5.
    """
    planes = [
        Image.fromarray(np.asarray(plane, np.float32)).resize(sides[::-1], way)
        for plane in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def scaled(sides, scale):
    """Sides of an enlarged image, or slices of them: the last two, Y and X, are times `scale`."""

    def one(side):
        if isinstance(side, slice):
            return slice(side.start * scale, side.stop * scale)
        return side * scale

    return (*sides[:-2], *map(one, sides[-2:]))


def smaller_pixels(metadata, scale):
    """The metadata of `load` for an image whose pixels are so many times smaller along Y and X."""
    found = dict(metadata)
    if "resolution" in found:
        found["resolution"] = tuple(n * scale for n in found["resolution"])
    if "more" in found:
        sizes = ("PhysicalSizeX", "PhysicalSizeY")
        found["more"] = {
            k: v / scale if k in sizes and isinstance(v, (int, float)) else v
            for k, v in found["more"].items()
        }
    if found.get("attributes"):
        found["attributes"] = zarrs.smaller_pixels(found["attributes"], scale)
    return found


def orient(array, turns, mirrored, axes=(-3, -2)):
    """A view of (.., H, W, C), turned so often by 90 degrees, then mirrored; or of other axes."""
    array = np.rot90(array, turns, axes)
    return np.flip(array, axes[1]) if mirrored else array


def find_files(folder):
    """Files of a folder that look like images by their suffix, and Zarr folders, sorted."""
    paths = pathlib.Path(folder).iterdir()
    return sorted(p for p in paths if (p.suffix.lower() in SUFFIXES and p.is_file()) or is_zarr(p))


def is_zarr(path):
    """Whether a folder is an array or a group in the Zarr format, by its name."""
    return path.suffix.lower() == ".zarr" and path.is_dir()


def list_files(pattern):
    """Image files of a folder (not its sub-folders), of a glob, or the one file given; sorted.

    Raises:
        ImageError: nothing there, or nothing that looks like an image.
    """
    path = pathlib.Path(os.path.expanduser(pattern))
    if path.is_file() or is_zarr(path):
        return [path]
    if path.is_dir():
        found = find_files(path)
        if not found:
            raise ImageError(f"{pattern}: no images in this folder ({', '.join(SUFFIXES)}).")
        return found
    if any(c in str(path) for c in "*?["):
        found = files.glob(path)
        if found:
            return found
        raise ImageError(f"{pattern}: no file matches.")
    raise ImageError(f"{pattern}: no such file or folder.")
