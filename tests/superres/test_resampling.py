"""Enlarging against Pillow, for sizes known and unknown."""

import numpy as np
import pytest
from PIL import Image

from common import images
from superres import resampling

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(17, 12), (1, 1), (2, 9)])
@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3"])
def test_enlarging_is_pillows(scale, size, interpolation):
    small = RNG.random((*size, 2), np.float32)
    enlarger = resampling.build_enlarger(2, scale, interpolation=interpolation)
    enlarged = enlarger.predict_on_batch(small[None])[0]
    height, width = (scale * side for side in size)
    way = {"bicubic": Image.BICUBIC, "lanczos3": Image.LANCZOS}[interpolation]
    for channel in range(2):
        expected = Image.fromarray(small[..., channel]).resize((width, height), way)
        np.testing.assert_allclose(enlarged[..., channel], expected, atol=2e-6)
    if interpolation == "bicubic":
        np.testing.assert_allclose(enlarged, images.resize(small, (height, width)), atol=2e-6)
