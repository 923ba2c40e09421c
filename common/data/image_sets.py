"""A set of images in memory, as stored."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import logging
from collections.abc import Callable, Iterable

import numpy as np

from common.files.errors import ImageError

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """Images with a name each.

    Attributes:
        name: of the set, for messages.
        images: list of (H, W, C), (D, H, W, C) or (K, H, W, C) arrays as stored.
        names: a name for each, for messages and files.
    """

    name: str
    images: list[np.ndarray]
    names: list[str]

    def __len__(self) -> int:
        return len(self.images)

    def fingerprint(self) -> str:
        """A short hash of names, shapes and types: to notice that a folder has changed."""
        described = [(n, i.shape, str(i.dtype)) for n, i in zip(self.names, self.images)]
        return hashlib.sha256(repr(described).encode()).hexdigest()[:16]

    def first(self, count: int | None) -> ImageSet:
        """The subset of the first `count` images, all of them for None."""
        return dataclasses.replace(self, images=self.images[:count], names=self.names[:count])

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> ImageSet:
        """The same set with change(image) for every image."""
        return dataclasses.replace(self, images=[change(image) for image in self.images])

    def only(self, keep: Callable[[np.ndarray], bool]) -> ImageSet:
        """The subset for which keep(image) is true."""
        pairs = [(i, n) for i, n in zip(self.images, self.names) if keep(i)]
        return dataclasses.replace(self, images=[i for i, _ in pairs], names=[n for _, n in pairs])

    def repeated(self, repeats: int) -> Iterable[tuple[int, str, np.ndarray]]:
        """Yields (number, name, image), the whole set `repeats` times; numbers go on counting."""
        for repeat in range(repeats):
            for i, (name, image) in enumerate(zip(self.names, self.images)):
                yield repeat * len(self) + i, name, image


def collect(
    name: str, items: Iterable[tuple[str, np.ndarray | Exception]], max_images: int | None
) -> ImageSet:
    """Gathers (name, image or error) pairs as an ImageSet; logs which were bad and how many.

    Raises:
        ImageError: no image among them.
    """
    good, names, errors = [], [], []
    seen: collections.Counter[str] = collections.Counter()
    for item_name, item in items:
        if isinstance(item, Exception):
            log.warning("%s Skipped.", item)
            errors.append(item)
            continue
        seen[item_name] += 1
        good.append(item)
        # a.png and a.jpg are both called a: names become file names.
        names.append(item_name if seen[item_name] == 1 else f"{item_name}~{seen[item_name]}")
        if max_images is not None and len(good) == max_images:
            break
    if not good:
        first = f" First: {errors[0]}" if errors else ""
        raise ImageError(f"{name}: no usable image, {len(errors)} bad.{first}")
    if errors:
        log.warning("%s: %d bad of %d, skipped.", name, len(errors), len(errors) + len(good))
    return ImageSet(name, good, names)


def from_planes(flat: np.ndarray, shape: Iterable[int]) -> np.ndarray:
    """Flattened (C, H, W) uint8 -> (H, W, C).

    Raises:
        ValueError: not uint8, or not as many values as the shape says.
    """
    flat, sides = np.asarray(flat), [int(n) for n in shape]
    if flat.dtype != np.uint8 or len(sides) != 3 or min(sides) < 1 or flat.size != np.prod(sides):
        raise ValueError(f"{flat.size} values of {flat.dtype} for shape {sides} (C, H, W), uint8.")
    return np.ascontiguousarray(flat.reshape(sides).transpose(1, 2, 0))
