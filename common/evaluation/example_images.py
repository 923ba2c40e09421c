"""Images to look at and to score on: the middle of a few, files with references."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from common.data import datasets
from common.data.image_sets import ImageSet
from common.files import pixels
from common.files.errors import ImageError
from common.types import Example

VALIDATION_IMAGES = 4  # looked at during a training
MIDDLE_SIDE, MIDDLE_PAGES = 256, 16  # what is looked at of an image, of a volume


def paired(noisy_set: ImageSet, clean_set: ImageSet, white_level: float) -> Iterator[Example]:
    """Yields (name, reference, inputs) of noisy images and what they are compared with.

    A reference is scaled so that its own range becomes [0, 1].

    Raises:
        ImageError: another number of references, other sizes, or a constant one.
    """
    if len(noisy_set) != len(clean_set):
        raise ImageError(
            f"{clean_set.name}: {len(clean_set)} images, but {noisy_set.name} has "
            f"{len(noisy_set)}; each needs its reference."
        )
    for name, noisy, clean in zip(noisy_set.names, noisy_set.images, clean_set.images):
        if noisy.shape != clean.shape:
            raise ImageError(
                f"{name}: {noisy.shape}, but its reference is {clean.shape}; expected equal sizes."
            )
        clean = clean.astype(np.float32)
        low, high = clean.min(), clean.max()
        if low == high:
            raise ImageError(f"{name}: its reference is constant.")
        yield name, (clean - low) / (high - low), {"noisy": pixels.to_unit(noisy, white_level)}


def validation_images(config, data_dir: str | None = None) -> ImageSet:
    """The first few images of the configuration's validation set."""
    return datasets.load(
        config.validation_set, data_dir, held_back=True, max_images=VALIDATION_IMAGES
    )


def as_they_are(image_set: ImageSet, config) -> Iterator[Example]:
    """Yields (name, None, inputs) of images that are noisy already; nobody knows clean ones."""
    for name, image in zip(image_set.names, image_set.images):
        image = pixels.to_unit(pixels.to_channels(image, config.channels), config.white_level)
        yield name, None, {"noisy": image}


def centre(image: np.ndarray, side: int = MIDDLE_SIDE) -> np.ndarray:
    """The middle of (H, W, C), no side longer than `side`; of volumes that of a few pages."""
    limits = (side, side) if image.ndim == 3 else (MIDDLE_PAGES, side, side)
    starts = [max(0, (n - limit) // 2) for n, limit in zip(image.shape, limits)]
    return image[tuple(slice(a, a + limit) for a, limit in zip(starts, limits))]
