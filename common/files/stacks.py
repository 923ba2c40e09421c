"""Image files with named axes: stacks over time and depth, with several channels.

Axes are letters: Y and X, Z depth, T time, C channels, I and Q pages. S stands for samples of
colour where the file names its axes, and for any kind of sample where the user names them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing
from collections.abc import Iterator, Sequence

import numpy as np

from common.files import atomic, axis_letters, file_arrays, image_files, pixels, raws, tiffs, zarrs
from common.files.errors import ImageError
from common.files.file_arrays import LazyArray
from common.files.metadata import Metadata

MIDDLE = 1024  # pixels
Region = tuple[slice, ...]  # a part of an image: a slice of each side, with start and stop


@dataclasses.dataclass(frozen=True)
class Stack:
    """An image file: its array, its axes and its metadata.

    Attributes:
        path: the file, for messages.
        array, axes, metadata: as `image_files.load` returns them.
        named: the user has named the axes, so C means channels. Where the file names them, C counts
            as channels only if its length is the number of channels that is asked for.
    """

    path: str
    array: LazyArray | np.ndarray
    axes: str
    metadata: Metadata
    named: bool = False

    def _order(self, spatial, channels):
        """Positions of the axes: (those that count images, then Z, Y, X, channels of an image)."""
        inner = "ZYX" if spatial == 3 else "YX"
        if missing := set(inner) - set(self.axes):
            raise ImageError(
                f"{self.path}: axes {self.axes}, no {missing.pop()}; name the axes with --dims."
            )
        letter = self._channel_axis(channels)
        positions = [self.axes.index(axis) for axis in inner + letter]
        return [i for i in range(len(self.axes)) if i not in positions], positions

    def _channel_axis(self, channels):
        if "S" in self.axes and not self.named:
            return "S"
        if "C" in self.axes:
            count = self.array.shape[self.axes.index("C")]
            if count == channels or self.named:
                return "C"
        return ""

    def view(self, spatial: int, channels: int) -> View:
        """The images of the stack, to be read and written one by one and in parts.

        spatial: 2 for images (H, W, C), 3 for volumes (D, H, W, C). channels: without alpha.

        Raises:
            ImageError: the stack lacks an axis or has another number of channels.
        """
        return View(self, spatial, channels)

    def channels_among(self, known: Sequence[int]) -> int | None:
        """The first of some numbers of channels with which the stack has 2D images, or None."""
        for channels in known:
            with contextlib.suppress(ImageError):
                self.view(2, channels)
                return channels
        return None

    def enlarged(self, scale: int) -> Stack:
        """A stack without values, of `scale` times as many and smaller pixels along Y and X."""
        if scale == 1:
            return self
        shape = [n * (scale if a in "YX" else 1) for n, a in zip(self.array.shape, self.axes)]
        blank = np.broadcast_to(np.zeros((), self.array.dtype), shape)
        metadata = self.metadata.smaller_pixels(scale)
        return dataclasses.replace(self, array=blank, metadata=metadata)

    def items(self, spatial: int, channels: int) -> np.ndarray:
        """All images of a `view` at once: (N, H, W, C) or (N, D, H, W, C)."""
        view = self.view(spatial, channels)
        whole = tuple(slice(0, side) for side in view.sides)
        return np.stack([view.read(number, whole) for number in range(view.count)])

    def like(self, items: np.ndarray, scale: int = 1) -> np.ndarray:
        """Arrange images as the stack has them: the inverse of `items`, in the type of the images.

        scale: factor by which the images, and so the array, are larger along Y and X.
        """
        view = self.view(items.ndim - 2, items.shape[-1])
        array = np.empty(self.enlarged(scale).array.shape, items.dtype)
        whole = tuple(slice(0, side) for side in view.sides)
        for number, item in enumerate(items):
            view.write(array, number, whole, item, scale)
        return array


class View:
    """The images of a stack, see `Stack.view`.

    Attributes:
        count: number of images.
        sides, channels: those of each image.
        dtype: type of the values that `read` returns.
    """

    def __init__(self, stack: Stack, spatial: int, channels: int) -> None:
        self._stack = stack
        self._others, inner = stack._order(spatial, channels)
        self._spatial, shape = inner[:spatial], stack.array.shape
        self._samples = inner[spatial] if len(inner) > spatial else None
        self._numbers = tuple(shape[i] for i in self._others)
        self.count = int(np.prod(self._numbers))
        self.sides = tuple(shape[i] for i in self._spatial)
        self.channels = channels
        self.dtype = image_files.usable_type(np.dtype(stack.array.dtype))
        present = 1 if self._samples is None else shape[self._samples]
        # The alpha of a colour image is not a channel.
        wanted = present
        if present != channels and not stack.named and "S" in stack.axes:
            wanted = 3 if present >= 3 else 1
        if wanted != channels:
            raise ImageError(
                f"{stack.path}: {present} channels, this model is for {channels}; one for such "
                f"files is trained with --channels={wanted}."
            )
        self._alpha = slice(channels, present) if present > channels else None

    def middle(self, side: int = MIDDLE) -> Region:
        """The middle `side` pixels along Y and X, or fewer, and of a volume the middle page.

        It is what tells of the noise in a file; larger images would only take longer.
        """
        region = []
        for length in self.sides[-2:]:
            first = max(0, (length - side) // 2)
            region.append(slice(first, min(first + side, length)))
        pages = [slice(length // 2, length // 2 + 1) for length in self.sides[:-2]]
        return (*pages, *region)

    @property
    def letters(self) -> str:
        """What each axis of the stack is used as: Z, Y, X or C within an image, I elsewhere."""
        letters = ["I"] * self._stack.array.ndim
        for axis, letter in zip(self._spatial, "ZYX"[-len(self._spatial) :]):
            letters[axis] = letter
        if self._samples is not None:
            letters[self._samples] = "C"
        return "".join(letters)

    def read(self, number: int, region: Region) -> np.ndarray:
        """Read a part of image `number`, (H', W', C) or (D', H', W', C).

        Raises:
            ImageError: NaN or infinite values in this part, or bytes that can't be decoded.
        """
        index = self._index(number, region, slice(0, self.channels))
        part = image_files.usable(self._stack.path, self._stored(index))
        part = part.transpose(self._places())
        return part if self._samples is not None else part[..., None]

    def write(
        self, array: typing.Any, number: int, region: Region, values: np.ndarray, scale: int = 1
    ) -> None:
        """Write a part of image `number` into an array; alpha is copied from the stack.

        array: of the stack's axes and sides, for instance from `writing`.
        values: of the part, as `read` returns them.
        scale: factor by which `values` and `array` are larger along Y and X than region and stack.
        """
        if self._samples is None:
            values = values[..., 0]
        target = pixels.scaled(region, scale)
        index = self._index(number, target, slice(0, self.channels))
        array[index] = values.transpose(np.argsort(self._places()))
        if self._alpha is not None:
            alpha = self._stored(self._index(number, region, self._alpha)).astype(array.dtype)
            for axis, side in enumerate(sorted(self._inner())):
                if side in self._spatial[-2:]:
                    alpha = np.repeat(alpha, scale, axis)
            array[self._index(number, target, self._alpha)] = alpha

    def _stored(self, index):
        array = self._stack.array
        if isinstance(array, np.ndarray):
            return array[index]
        try:
            return np.asarray(array[index])
        except Exception as error:  # decoders raise nearly any error for damaged bytes
            reason = image_files.short(error)
            raise ImageError(f"{self._stack.path}: not readable as an image ({reason}).") from error

    def _index(self, number, region, samples):
        index = [None] * self._stack.array.ndim
        for axis, i in zip(self._others, np.unravel_index(number, self._numbers)):
            index[axis] = int(i)
        for axis, part in zip(self._spatial, region):
            index[axis] = part
        if self._samples is not None:
            index[self._samples] = samples
        return tuple(index)

    def _inner(self):
        """Positions of Z, Y, X and the channels in the stack, in this order."""
        return [*self._spatial, *([] if self._samples is None else [self._samples])]

    def _places(self):
        """Positions of Z, Y, X and the channels in a part of the stack that holds these alone."""
        inner = self._inner()
        return [sorted(inner).index(axis) for axis in inner]


def read(
    path: str | pathlib.Path,
    axes: str | None = None,
    usual: str | None = None,
    max_bytes: int | None = None,
) -> Stack:
    """Read a file as a Stack.

    Args:
        path: the file.
        axes: letters for the axes of the array in the file [those that the file names].
        usual: letters of the training's files, for files that name no axes but have as many.
        max_bytes: larger arrays stay in the file, see `image_files.load`.

    Raises:
        ValueError: letters that are no axes.
        ImageError: as `image_files.load`, or another number of axes.
    """
    if axes is not None:
        axis_letters.check_axes(axes)
    array, letters, metadata = image_files.load(path, axes, max_bytes)
    metadata = metadata.replace(axes=letters)
    names_none = set(letters) <= set("YXIQ")
    if axes is None and usual and names_none and len(usual) == array.ndim:
        axes = usual
    if axes is None:
        return Stack(str(path), array, letters, metadata)
    if letters.endswith("S") and array.shape[-1] == 1:
        in_file = isinstance(array, file_arrays.Mapped)
        array = array.squeezed() if in_file else array[..., 0]
        letters = letters[:-1]
    if len(axes) != array.ndim:
        raise ImageError(
            f"{path}: shape {'x'.join(map(str, array.shape))}, {array.ndim} axes; dims={axes} "
            f"names {len(axes)}."
        )
    # What the file calls colour and the user does not, three pages perhaps, gets the user's letter.
    others = {"S": "Q"}  # the user's samples are no colours
    kept = (a if a != "S" or b == "C" else others.get(b, b) for a, b in zip(letters, axes))
    return Stack(str(path), array, axes, metadata.replace(axes="".join(kept)), named=True)


@contextlib.contextmanager
def writing(
    path: str | pathlib.Path, stack: Stack, dtype: np.typing.DTypeLike, in_file: bool | None = None
) -> Iterator[typing.Any]:
    """Yield an array to be filled, with a stack's axes and sides, and `write` it at the end.

    After a failure no file is left.

    in_file: whether the array lies in the file from the start, not in memory [as the stack's does].

    Raises:
        ImageError: the format can't hold this type or these axes.
    """
    path, shape, axes = pathlib.Path(path), stack.array.shape, stack.metadata.axes
    if in_file is None:
        in_file = not isinstance(stack.array, np.ndarray)
    if path.suffix.lower() == ".zarr":
        with atomic.replacing_folder(path) as temporary:
            yield zarrs.create(temporary, shape, dtype, stack.metadata)
    elif not in_file:
        array = np.empty(shape, dtype)
        yield array
        write(path, stack, array)
    elif path.suffix.lower() == ".npy":
        with atomic.replacing(path) as temporary:
            mapped = np.lib.format.open_memmap(temporary, "w+", dtype, shape)
            yield file_arrays.Mapped(temporary, mapped.offset, shape, dtype)
    else:
        with atomic.replacing(path) as temporary:
            with _naming(path):
                created = tiffs.create(temporary, shape, dtype, axes, stack.metadata)
            yield created


@contextlib.contextmanager
def _naming(path):
    """Name the file in errors for what its format can't hold, as damaged metadata: ImageError."""
    try:
        yield
    except ValueError as error:
        raise ImageError(f"{path}: can't be written ({error}).") from error


def write(path: str | pathlib.Path, stack: Stack, array: np.ndarray) -> None:
    """Write an array with a stack's axes in the format of the suffix, with the stack's metadata.

    Raises:
        ImageError: the format can't hold this type or these axes.
    """
    path = pathlib.Path(path)
    if stack.metadata.raw is not None:
        with atomic.replacing(path) as temporary:
            raws.develop(temporary, stack.metadata.raw, array)
    elif path.suffix.lower() in (".tif", ".tiff"):
        with atomic.replacing(path) as temporary, _naming(path):
            tiffs.write(temporary, array, stack.metadata.axes, stack.metadata)
    elif path.suffix.lower() == ".npy":
        with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
            np.save(file, array, allow_pickle=False)
    else:
        array = array if "S" in stack.metadata.axes else array[..., None]
        image_files.write(path, array, stack.metadata)
