"""Images to look at and to score on: the middle of a few images, files with references."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator

import numpy as np

from common.data import datasets
from common.data.image_sets import ImageSet
from common.files import pixels
from common.files.errors import ImageError
from common.types import Example

VALIDATION_IMAGES = 4  # number of images to look at during a training


def paired(noisy_set: ImageSet, clean_set: ImageSet, white_level: float) -> Iterator[Example]:
    """Yield (name, reference, inputs) for noisy images that have references.

    Args:
        noisy_set: noisy images as stored.
        clean_set: their references, in the same order. Each is scaled so that its own range becomes
            [0, 1].
        white_level: stored value of the noisy images that stands for 1; 0 for that of their type.

    Raises:
        ImageError: a different number of references, different sizes, or a constant reference.
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


def seen_beyond_borders(
    examples: Callable[[ImageSet], Iterator[Example]],
    image_set: ImageSet,
    multiple: int,
    repeats: int = 1,
) -> Iterator[Example]:
    """Yield examples whose inputs go on beyond the right and lower borders of the clean images.

    As SSDN's original evaluates: before the noise is drawn, each clean image is padded by
    reflection to one square, of the longest side in the set, rounded up.

    Args:
        examples: of an image set, as `Method.examples` yields them.
        image_set: (H, W, C) images as stored.
        multiple: of pixels, to which the side of the square is rounded up.
        repeats: how often the examples go through the set.

    Yields:
        (name, clean image of its own size, inputs of the padded one).
    """
    longest = max(max(image.shape[:2]) for image in image_set.images)
    side = -(-longest // multiple) * multiple

    def pad(image):
        missing = [(0, side - length) for length in image.shape[:2]]
        return np.pad(image, [*missing, (0, 0)], "reflect")

    padded = examples(image_set.each(pad))
    for (_, _, image), (name, clean, inputs) in zip(image_set.repeated(repeats), padded):
        assert clean is not None
        yield name, clean[: image.shape[0], : image.shape[1]], inputs


def how_many(config: typing.Any) -> int | None:
    """How many images a training is validated on; None for all."""
    return None if config.validate_on == "all" else VALIDATION_IMAGES


def part_of(image_set: ImageSet, config: typing.Any) -> ImageSet:
    """The images that a training is validated on: the middle of the first few, or all, whole."""
    if config.validate_on == "all":
        return image_set
    return image_set.first(VALIDATION_IMAGES).each(pixels.centre)


def validation_images(config: typing.Any, data_dir: str | None = None) -> ImageSet:
    """Load the images of the configuration's validation set that are used, whole and as stored.

    data_dir: folder of the named sets [$N2X_DATA or ./datasets].
    """
    return datasets.load(
        config.validation_set, data_dir, held_back=True, max_images=how_many(config)
    )


def as_they_are(image_set: ImageSet, config: typing.Any) -> Iterator[Example]:
    """Yield (name, None, inputs) for images that are noisy already and have no clean versions."""
    for name, image in zip(image_set.names, image_set.images):
        image = pixels.to_channels(image, config.channels, config.grey)
        image = pixels.to_unit(image, config.white_level)
        yield name, None, {"noisy": image}
