"""Image files with named axes: stacks over time and depth, several channels; the same axes out.

A stack's axes are letters: Y and X, Z depth, T time, C channels, S samples of colour in a file
and anything at all in what a user names, I and Q pages.
"""

import dataclasses
import os
import pathlib

import numpy as np
from absl import logging

from common import datasets, files, images, tiffs


@dataclasses.dataclass(frozen=True)
class Stack:
    """array: as `images.load` gives it; axes: its letters; metadata: for writing it again.

    named: the axes are the user's, who knows what C is; a file's C counts as channels only where as
    many are wanted.
    """

    path: str
    array: np.ndarray
    axes: str
    metadata: dict
    named: bool = False

    def _order(self, spatial, channels):
        """Positions of (the others, Z if spatial is 3, Y, X, channels): (others, inner)."""
        inner = "ZYX" if spatial == 3 else "YX"
        if missing := set(inner) - set(self.axes):
            raise images.ImageError(
                f"{self.path}: axes {self.axes}, no {missing.pop()}; name the axes with --dims."
            )
        letter = self._channel_axis(channels)
        positions = [self.axes.index(axis) for axis in inner + letter]
        return [i for i in range(len(self.axes)) if i not in positions], positions

    def _channel_axis(self, channels):
        if "S" in self.axes and not self.named:
            return "S"
        if "C" in self.axes:
            found = self.array.shape[self.axes.index("C")]
            if found == channels or self.named:
                return "C"
        return ""

    def items(self, spatial, channels):
        """Views of its images: (N, H, W, C), or (N, D, H, W, C) if spatial is 3.

        Raises:
            images.ImageError: an axis that is not there, or another number of channels; alpha of
                colour samples is no channel.
        """
        others, inner = self._order(spatial, channels)
        array = self.array.transpose(others + inner)
        if len(inner) == spatial:
            array = array[..., None]
        array = array.reshape((-1,) + array.shape[-1 - spatial :])
        found = array.shape[-1]
        if found != channels and not self.named and "S" in self.axes:
            array = array[..., : 3 if found >= 3 else 1]
        if array.shape[-1] != channels:
            wanted = array.shape[-1]  # without alpha
            raise images.ImageError(
                f"{self.path}: {found} channels, this model is for {channels}; one for such files "
                f"is trained with --channels={wanted}."
            )
        return array

    def like(self, items):
        """The inverse of `items`: its images at the places they came from, in axes as stored.

        items: (N, H, W, C) or (N, D, H, W, C), of any type. An alpha channel is that of the file.
        """
        spatial, channels = items.ndim - 2, items.shape[-1]
        others, inner = self._order(spatial, channels)
        order = others + inner
        array = np.array(self.array.transpose(order), items.dtype, order="C")
        shape = array.shape if len(inner) > spatial else (*array.shape, 1)
        whole = array.reshape(shape)
        whole[..., :channels] = items.reshape(*shape[: len(others)], *items.shape[1:])
        return whole.reshape(array.shape).transpose(np.argsort(order))


def check_axes(axes):
    """Raises ValueError unless a string names axes that an image can have, each once."""
    if not set("YX") <= set(axes) <= set("STZCYX") or len(set(axes)) < len(axes):
        raise ValueError(
            f"dims={axes!r}: expected Y and X, with S (samples), T (time), Z (depth), C (channels) "
            "as the files have them, each once: YX, TYX, ZYX, YXC."
        )


def read(path, axes=None, usual=None):
    """Reads a file as a Stack.

    axes: letters for the axes of the array in the file; None for what the file says, or, where it
    says nothing and they are as many, for `usual`, the letters of the training's files.

    Raises:
        ValueError: letters that make no sense.
        images.ImageError: as `images.load`, or another number of axes.
    """
    if axes is not None:
        check_axes(axes)
    array, found, metadata = images.load(path, axes)
    metadata["axes"] = found
    says_nothing = set(found) <= set("YXIQ")
    if axes is None and not (usual and says_nothing and len(usual) == array.ndim):
        return Stack(str(path), array, found, metadata)
    axes = axes or usual
    if found.endswith("S") and array.shape[-1] == 1:
        array, found = array[..., 0], found[:-1]
    if len(axes) != array.ndim:
        raise images.ImageError(
            f"{path}: shape {'x'.join(map(str, array.shape))}, {array.ndim} axes; dims={axes} "
            f"names {len(axes)}."
        )
    # What a file takes for colour and the user does not, three pages, say, is written as hers.
    others = {"S": "Q"}  # samples are no colours
    kept = (a if a != "S" or b == "C" else others.get(b, b) for a, b in zip(found, axes))
    metadata["axes"] = "".join(kept)
    return Stack(str(path), array, axes, metadata, named=True)


def write(path, stack, array):
    """Writes an array of a stack's axes in the format of the suffix, with the stack's metadata.

    Raises:
        images.ImageError: a type or axes that the format can't hold.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() in (".tif", ".tiff"):
        with files.replacing(path) as temporary:
            tiffs.write(temporary, array, stack.metadata["axes"], stack.metadata)
    elif path.suffix.lower() == ".npy":
        with files.replacing(path) as temporary, open(temporary, "wb") as file:
            np.save(file, array, allow_pickle=False)
    else:
        images.write(path, array if "S" in stack.metadata["axes"] else array[..., None])


def find(path, pattern="*"):
    """Image files of a folder that match the pattern, of a glob, or the one file; sorted.

    Raises:
        images.ImageError: there are none.
    """
    root = pathlib.Path(os.path.expanduser(path))
    if not root.is_dir():
        return images.list_files(path)
    found = [p for p in files.glob(root / pattern) if p.suffix.lower() in images.SUFFIXES]
    if not found:
        raise images.ImageError(f"{path}: no images that match {pattern!r} in this folder.")
    return found


def load(path, *, pattern="*", axes=None, spatial=2, channels=1, max_images=None):
    """Loads the images of noisy files as a datasets.ImageSet.

    Args:
        path: a folder, a glob or one file.
        pattern: of the files in the folder.
        axes: letters for the axes of every file; None for what the files say.
        spatial: 2, every page an image, or 3, volumes.
        channels: that each must have.
        max_images: at most so many, the first ones.

    Returns:
        ImageSet of (H, W, C) or (D, H, W, C) as stored. Files that can't be read are named, skipped
        and counted in the log.

    Raises:
        images.ImageError: nothing there, or all of it bad.
    """

    def read_each():
        for file in find(path, pattern):
            try:
                stack = read(file, axes)
                items = stack.items(spatial, channels)
                parted = stack.axes.find("C") if channels == 1 and not stack.named else -1
                if parted >= 0 and (count := stack.array.shape[parted]) > 1:
                    logging.warning(
                        "%s: its %d channels are taken for images of their own; --channels=%d "
                        "makes them channels of one.",
                        file,
                        count,
                        count,
                    )
            except images.ImageError as error:
                yield file.name, error
                continue
            for number, item in enumerate(items):
                yield (file.stem if len(items) == 1 else f"{file.stem}-{number:04d}"), item

    return datasets.collect(str(path), read_each(), max_images)
