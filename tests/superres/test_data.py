"""Crops of super-resolution that grow, as those of other methods do."""

import numpy as np
import pytest

from common.data import image_sets
from superres import configs, data


@pytest.mark.parametrize(
    ("side", "scale", "crop", "sizes"),
    [
        (400, 2, 64, (64, 128, 256)),
        (400, 3, 96, (96, 192, 192)),  # not beyond 256
        (180, 3, 96, (96, 96, 96)),  # 160 would fit, but is no multiple of 3
        (180, 2, 64, (64, 128, 160)),
    ],
)
def test_crops_grow_in_whole_pixels_of_the_small_image(side, scale, crop, sizes):
    pictures = [np.random.default_rng(0).integers(0, 255, (side, side, 1), np.uint8)] * 2
    images = image_sets.ImageSet("squares", pictures, ["a", "b"])
    config = configs.Config(
        schedule="fast", scale=scale, crop_size=crop, channels=1, num_images=800, batch_size=1
    ).completed()
    for step, size in zip((0, 700, 799), sizes, strict=True):
        x, y = next(iter(data.training_batches(images, config, step)))
        assert x["noisy"].shape == y["target"].shape == (1, size, size, 1)
    assert config.learning_rate == 1e-3
