"""Scenes that were acquired more than once: noisy images of the same thing."""

from __future__ import annotations

import logging
import os
import pathlib

import numpy as np

from common.data import image_sets
from common.files import image_files, listing
from common.files.errors import ImageError

log = logging.getLogger(__name__)

MIN_LIKENESS = 0.3  # lower correlations of two acquisitions are reported, see load_pairs


def load_pairs(folder: str | pathlib.Path, *, max_images: int | None = None) -> image_sets.ImageSet:
    """Load scenes that were acquired more than once.

    Args:
        folder: holds a sub-folder for each scene, with files of one size; or a stack for each
            scene, whose pages are the acquisitions (TIFF, or NPY of (K, H, W) or (K, H, W, C)).
        max_images: load the first scenes only, at most this many.

    Returns:
        ImageSet of (K, H, W, C) arrays as stored, K acquisitions of a scene, 2 or more. Scenes are
        named, skipped and counted in the log if they have a lone acquisition, several sizes, types
        or numbers of channels, or stacks with several axes besides Y, X and channels. Scenes whose
        acquisitions do not resemble each other are named in the log.

    Raises:
        ImageError: no such folder, or no usable scene in it.
    """
    root = pathlib.Path(os.path.expanduser(folder))
    if not root.is_dir():
        raise ImageError(f"{folder}: no such folder.")
    scenes = sorted(path for path in root.iterdir() if path.is_dir())

    def read_each():
        for path in listing.find_files(root) if scenes else ():
            message = f"{path}: a lone file beside sub-folders; put it into that of its scene."
            yield path.stem, ImageError(message)
        for scene in scenes or listing.list_files(folder):
            try:
                yield scene.stem, _read_scene(scene)
            except ImageError as error:
                yield scene.stem, error

    return image_sets.collect(str(folder), read_each(), max_images)


def _read_scene(path):
    """Read the files of a folder, or the pages of a stack, as (K, H, W, C)."""
    paths = listing.list_files(str(path))
    pages = []
    for stack in paths:
        array, axes, _ = image_files.load(stack)
        counted = "".join(a for a, n in zip(axes, array.shape) if a not in "YXS" and n > 1)
        if len(counted) > 1:
            raise ImageError(
                f"{stack}: axes {counted} besides Y and X; which of them counts the acquisitions "
                "is unknown. Save a stack with one such axis for each scene."
            )
        pages += [(stack, page) for page in image_files.as_pages(array, axes)]
    if len(pages) == 1:
        raise ImageError(f"{pages[0][0]}: a lone acquisition; a scene needs two or more.")
    (first_path, first), *others = pages
    for other_path, page in others:
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            raise ImageError(
                f"{other_path}: {page.shape} {page.dtype}, but {first_path} is {first.shape} "
                f"{first.dtype}; acquisitions of a scene must be alike."
            )
    if (likeness := _likeness(first, others[0][1])) < MIN_LIKENESS:
        log.warning(
            "%s: its acquisitions do not resemble each other (correlation %.2f when blurred). "
            "A sub-folder, or a stack, must hold one scene.",
            path,
            likeness,
        )
    return np.stack([page for _, page in pages])


def _likeness(a, b):
    """Correlation of two (H, W, C) images after averaging their squares of 8x8 pixels."""
    blurred = []
    for image in (a, b):
        height, width = (side // 8 * 8 for side in image.shape[:2])
        if 0 in (height, width):
            return 1.0
        squares = image[:height, :width].mean(axis=-1).reshape(height // 8, 8, width // 8, 8)
        blurred.append(squares.mean(axis=(1, 3)).ravel())
    if min(np.ptp(values) for values in blurred) == 0:
        return 1.0
    return float(np.corrcoef(*blurred)[0, 1])
