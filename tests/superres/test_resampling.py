"""Enlarging against Pillow."""

import numpy as np
import pytest

from common.files import pixels
from superres import resampling

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(17, 12), (1, 1), (2, 9)])
def test_enlarging_is_pillows(scale, size):
    small = RNG.random((*size, 2), np.float32)
    enlarged = resampling.build_enlarger(2, scale).predict_on_batch(small[None])[0]
    expected = pixels.resize(small, [scale * side for side in size])
    np.testing.assert_allclose(enlarged, expected, atol=2e-6)
