"""Image files with named axes: stacks over time and depth, several channels; the same axes out.

A stack's axes are letters: Y and X, Z depth, T time, C channels, S samples of colour in a file
and anything at all in what a user names, I and Q pages.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib

import numpy as np

from common.files import atomic, axis_letters, file_arrays, image_files, pixels, tiffs, zarrs
from common.files.errors import ImageError
from common.files.file_arrays import LazyArray
from common.files.metadata import Metadata


@dataclasses.dataclass(frozen=True)
class Stack:
    """array: as `image_files.load` gives it; axes: its letters; metadata: for writing it again.

    named: the axes are the user's, who knows what C is; a file's C counts as channels only where as
    many are wanted.
    """

    path: str
    array: LazyArray | np.ndarray
    axes: str
    metadata: Metadata
    named: bool = False

    def _order(self, spatial, channels):
        """Positions of (the others, Z if spatial is 3, Y, X, channels): (others, inner)."""
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

    def view(self, spatial, channels):
        """Its images, (H, W, C) or, if spatial is 3, (D, H, W, C), one by one and in parts.

        Raises:
            ImageError: an axis that is not there, or another number of channels; alpha of
                colour samples is no channel.
        """
        return View(self, spatial, channels)

    def enlarged(self, scale):
        """A stack without values, its pixels so many times smaller and more along Y and X."""
        if scale == 1:
            return self
        shape = [n * (scale if a in "YX" else 1) for n, a in zip(self.array.shape, self.axes)]
        nothing = np.broadcast_to(np.zeros((), self.array.dtype), shape)
        metadata = self.metadata.smaller_pixels(scale)
        return dataclasses.replace(self, array=nothing, metadata=metadata)

    def items(self, spatial, channels):
        """All images of a `view` at once: (N, H, W, C) or (N, D, H, W, C)."""
        view = self.view(spatial, channels)
        whole = tuple(slice(0, side) for side in view.sides)
        return np.stack([view.read(number, whole) for number in range(view.count)])

    def like(self, items, scale=1):
        """The inverse of `items`, an array of the stack's axes and of the type of the items.

        scale: items are so many times larger along Y and X, and so is the array.
        """
        view = self.view(items.ndim - 2, items.shape[-1])
        array = np.empty(self.enlarged(scale).array.shape, items.dtype)
        whole = tuple(slice(0, side) for side in view.sides)
        for number, item in enumerate(items):
            view.write(array, number, whole, item, scale)
        return array


class View:
    """Images at the places where a stack's axes have them.

    count: how many images; sides: of each, without channels; dtype: of what is read.
    """

    def __init__(self, stack, spatial, channels):
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
        # Alpha of colours is no channel.
        wanted = present
        if present != channels and not stack.named and "S" in stack.axes:
            wanted = 3 if present >= 3 else 1
        if wanted != channels:
            raise ImageError(
                f"{stack.path}: {present} channels, this model is for {channels}; one for such "
                f"files is trained with --channels={wanted}."
            )
        self._alpha = slice(channels, present) if present > channels else None

    @property
    def letters(self):
        """The stack's axes as they are taken: Z, Y, X, C where those of an image are, else I."""
        letters = ["I"] * self._stack.array.ndim
        for axis, letter in zip(self._spatial, "ZYX"[-len(self._spatial) :]):
            letters[axis] = letter
        if self._samples is not None:
            letters[self._samples] = "C"
        return "".join(letters)

    def read(self, number, region):
        """Part of an image, (H', W', C) or (D', H', W', C), by slices of its sides.

        Raises:
            ImageError: NaN or infinite values there.
        """
        index = self._index(number, region, slice(0, self.channels))
        part = image_files.usable(self._stack.path, self._stored(index))
        part = part.transpose(self._places())
        return part if self._samples is not None else part[..., None]

    def write(self, array, number, region, values, scale=1):
        """Puts a part into an array of the stack's axes and sides; alpha is that of the stack.

        scale: values, and the array's Y and X, are so many times larger than region and stack.
        """
        if self._samples is None:
            values = values[..., 0]
        target = pixels.scaled(region, scale)
        index = self._index(number, target, slice(0, self.channels))
        array[index] = values.transpose(np.argsort(self._places()))
        if self._alpha is not None:
            alpha = self._stored(self._index(number, region, self._alpha)).astype(array.dtype)
            for axis, side in enumerate(sorted([*self._spatial, self._samples])):
                if side in self._spatial[-2:]:
                    alpha = np.repeat(alpha, scale, axis)
            array[self._index(number, target, self._alpha)] = alpha

    def _stored(self, index):
        array = self._stack.array
        if isinstance(array, np.ndarray):
            return array[index]
        try:
            return np.asarray(array[index])
        except Exception as error:  # decoders fed with damaged bytes raise nearly anything
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

    def _places(self):
        """Where Z, Y, X and the channels are among the axes that are sliced."""
        inner = [*self._spatial, *([] if self._samples is None else [self._samples])]
        return [sorted(inner).index(axis) for axis in inner]


def read(path, axes=None, usual=None, max_bytes=None):
    """Reads a file as a Stack; arrays of more than max_bytes stay in it, see `image_files.load`.

    axes: letters for the axes of the array in the file; None for what the file says, or, where it
    says nothing and they are as many, for `usual`, the letters of the training's files.

    Raises:
        ValueError: letters that make no sense.
        ImageError: as `image_files.load`, or another number of axes.
    """
    if axes is not None:
        axis_letters.check_axes(axes)
    array, letters, metadata = image_files.load(path, axes, max_bytes)
    metadata = metadata.replace(axes=letters)
    says_nothing = set(letters) <= set("YXIQ")
    if axes is None and not (usual and says_nothing and len(usual) == array.ndim):
        return Stack(str(path), array, letters, metadata)
    axes = axes or usual
    if letters.endswith("S") and array.shape[-1] == 1:
        squeezed = isinstance(array, file_arrays.Mapped)
        array = array.squeezed() if squeezed else array[..., 0]
        letters = letters[:-1]
    if len(axes) != array.ndim:
        raise ImageError(
            f"{path}: shape {'x'.join(map(str, array.shape))}, {array.ndim} axes; dims={axes} "
            f"names {len(axes)}."
        )
    # What a file takes for colour and the user does not, three pages, say, is written as hers.
    others = {"S": "Q"}  # samples are no colours
    kept = (a if a != "S" or b == "C" else others.get(b, b) for a, b in zip(letters, axes))
    return Stack(str(path), array, axes, metadata.replace(axes="".join(kept)), named=True)


@contextlib.contextmanager
def writing(path, stack, dtype, in_file=None):
    """Yields an array of a stack's axes and sides, to be filled; then there is the file of it.

    In the format of the suffix, with the stack's metadata. After a failure nothing is left.

    in_file: whether the array is in the file from the beginning, not in memory [as the stack's].

    Raises:
        ImageError: a type or axes that the format can't hold.
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
    """What a format can't hold, metadata of a damaged file for instance, as an ImageError."""
    try:
        yield
    except ValueError as error:
        raise ImageError(f"{path}: not to be written ({error}).") from error


def write(path, stack, array):
    """Writes an array of a stack's axes in the format of the suffix, with the stack's metadata.

    Raises:
        ImageError: a type or axes that the format can't hold.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() in (".tif", ".tiff"):
        with atomic.replacing(path) as temporary, _naming(path):
            tiffs.write(temporary, array, stack.metadata.axes, stack.metadata)
    elif path.suffix.lower() == ".npy":
        with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
            np.save(file, array, allow_pickle=False)
    else:
        array = array if "S" in stack.metadata.axes else array[..., None]
        image_files.write(path, array, stack.metadata)
