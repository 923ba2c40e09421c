"""Noisy files of the user, to train on and to compare with references."""

from __future__ import annotations

import logging
import os
import pathlib

from common.data import image_sets
from common.files import atomic, image_files, listing, stacks
from common.files.errors import ImageError

log = logging.getLogger(__name__)


def find(path: str | pathlib.Path, pattern: str = "*") -> list[pathlib.Path]:
    """List the images, Zarr arrays too, of a folder that match a pattern; sorted.

    path may also be a glob, or a single one.

    Raises:
        ImageError: there are none.
    """
    root = pathlib.Path(os.path.expanduser(path))
    if not root.is_dir() or image_files.is_zarr(root):
        return listing.list_files(path)
    files = [p for p in atomic.glob(root / pattern) if listing.is_image(p)]
    if not files:
        raise ImageError(f"{path}: no images that match {pattern!r} in this folder.")
    return files


def load(
    path: str | pathlib.Path,
    *,
    pattern: str = "*",
    axes: str | None = None,
    spatial: int = 2,
    channels: int = 1,
    max_images: int | None = None,
) -> image_sets.ImageSet:
    """Load the images of noisy files.

    Args:
        path: a folder, a glob or one file.
        pattern: glob for the names of the files in the folder.
        axes: letters for the axes of every file [those that the files name].
        spatial: 2 if every page is an image, 3 for volumes.
        channels: number of channels that every image must have.
        max_images: load the first images only, at most this many.

    Returns:
        ImageSet of (H, W, C) or (D, H, W, C) arrays as stored. Files that can't be used are named,
        skipped and counted in the log.

    Raises:
        ImageError: no such files, or no usable one among them.
    """

    def read_each():
        for file in find(path, pattern):
            try:
                stack = stacks.read(file, axes)
                items = stack.items(spatial, channels)
                parted = stack.axes.find("C") if channels == 1 and not stack.named else -1
                if parted >= 0 and (count := stack.array.shape[parted]) > 1:
                    log.warning(
                        "%s: its %d channels are taken for separate images; --channels=%d makes "
                        "them channels of one image.",
                        file,
                        count,
                        count,
                    )
            except ImageError as error:
                yield file.name, error
                continue
            for number, item in enumerate(items):
                yield (file.stem if len(items) == 1 else f"{file.stem}-{number:04d}"), item

    return image_sets.collect(str(path), read_each(), max_images)
