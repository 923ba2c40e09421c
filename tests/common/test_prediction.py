"""common.prediction: tiles cover the image once in all, and blend without a seam."""

import types

import numpy as np
import pytest

from common import prediction

RNG = np.random.default_rng(0)


class Identity:
    """Stands in for a network without a halo: what tiling adds or loses shows undiluted."""

    TILES, CENTRED = True, False
    config = types.SimpleNamespace(side_multiple=32)
    halo = 48
    bytes_per_pixel = 1000

    def __init__(self):
        self.sizes = []

    def predict_on_batch(self, inputs):
        noisy = inputs["noisy"]
        self.sizes.append(noisy.size // noisy.shape[-1])
        return {"denoised": 2 * noisy, "noise_std": np.full((len(noisy), 1, 1, 1), 0.1, np.float32)}


@pytest.mark.parametrize("size", [(1, 1), (300, 257), (257, 1000), (1000, 257), (700, 900)])
def test_tiles_put_together_are_the_image(size):
    image = RNG.random((*size, 3), np.float32)
    model = Identity()
    result = prediction.restore(model, {"noisy": image}, max_pixels=256 * 256)
    np.testing.assert_allclose(result["denoised"], 2 * image, rtol=1e-5)
    np.testing.assert_allclose(result["noise_std"], 0.1, rtol=1e-5)
    assert max(model.sizes) <= 256 * 256
    assert (len(model.sizes) > 1) == (size[0] * size[1] > 256 * 256)


def test_what_must_stay_whole_is_not_cut():
    model = Identity()
    model.TILES = False
    image = RNG.random((300, 300, 1), np.float32)
    prediction.restore(model, {"noisy": image}, max_pixels=256 * 256)
    assert model.sizes == [300 * 300]
