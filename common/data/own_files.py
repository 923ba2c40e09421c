"""Noisy files of one's own, to train on and to compare with references."""

import logging
import os
import pathlib

from common.data import image_sets
from common.files import atomic, image_files, stacks
from common.files.errors import ImageError

log = logging.getLogger(__name__)


def find(path, pattern="*"):
    """Image files of a folder that match the pattern, of a glob, or the one file; sorted.

    Raises:
        ImageError: there are none.
    """
    root = pathlib.Path(os.path.expanduser(path))
    if not root.is_dir():
        return image_files.list_files(path)
    found = [p for p in atomic.glob(root / pattern) if p.suffix.lower() in image_files.SUFFIXES]
    if not found:
        raise ImageError(f"{path}: no images that match {pattern!r} in this folder.")
    return found


def load(path, *, pattern="*", axes=None, spatial=2, channels=1, max_images=None):
    """Loads the images of noisy files as a image_sets.ImageSet.

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
        ImageError: nothing there, or all of it bad.
    """

    def read_each():
        for file in find(path, pattern):
            try:
                stack = stacks.read(file, axes)
                items = stack.items(spatial, channels)
                parted = stack.axes.find("C") if channels == 1 and not stack.named else -1
                if parted >= 0 and (count := stack.array.shape[parted]) > 1:
                    log.warning(
                        "%s: its %d channels are taken for images of their own; --channels=%d "
                        "makes them channels of one.",
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
