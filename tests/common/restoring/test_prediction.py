"""common.prediction: tiles cover the image once in all, what they share is right, memory bounds."""

import types

import numpy as np
import pytest

from common.networks import base
from common.restoring import prediction, tiling
from scripts.check import receptive
from tests import factory

RNG = np.random.default_rng(0)


class Identity:
    """Stands in for a network without a halo: what tiling adds or loses shows undiluted."""

    INPUTS, TILES, CENTRED, MAX_TILE, scale = {"noisy": 0}, True, False, None, 1
    config = types.SimpleNamespace(side_multiple=32)
    halo = 48
    bytes_per_pixel = 1000
    looks_for_level = False
    pixels_in = base.Denoiser.pixels_in

    def __init__(self):
        self.sizes = []

    def predict_on_batch(self, inputs):
        noisy = inputs["noisy"]
        self.sizes.append(noisy.size // noisy.shape[-1])
        # Of the red in a tile, which is the same everywhere in a row of tiles.
        return {"denoised": 2 * noisy, "noise_std": noisy[..., :1].mean((1, 2), keepdims=True)}


@pytest.mark.parametrize("size", [(1, 1), (300, 257), (257, 1000), (1000, 257), (700, 900)])
@pytest.mark.parametrize("centred", [False, True])
def test_tiles_put_together_are_the_image(size, centred):
    image = RNG.random((*size, 3), np.float32)
    image[..., 0] = 0.25
    model = Identity()
    model.CENTRED = centred
    result = prediction.restore(model, {"noisy": image}, max_pixels=256 * 256)
    np.testing.assert_array_equal(result["denoised"], 2 * image)
    np.testing.assert_allclose(result["noise_std"], np.full((1, 1, 1), 0.25), rtol=1e-6)
    assert max(model.sizes) <= 256 * 256
    assert (len(model.sizes) > 1) == (size[0] * size[1] > 256 * 256)


def test_what_must_stay_whole_is_not_cut():
    model = Identity()
    model.TILES = False
    image = RNG.random((300, 300, 1), np.float32)
    prediction.restore(model, {"noisy": image}, max_pixels=256 * 256)
    assert model.sizes == [300 * 300]


def test_tiles_are_as_large_and_as_square_as_memory_allows():
    def sides(shape, memory_gb):
        pixels = Identity().pixels_in(memory_gb)
        return tiling.Grid(Identity(), shape, max_pixels=pixels).tiles[0].length

    assert sides((20000, 20000), 1.0) == (992, 992)
    assert sides((100, 20000), 1.0) == (128, 6752)  # a strip leaves more length
    assert sides((20000, 20000), 0.001) == (128, 128)  # the least with a middle


@pytest.mark.parametrize(
    ("name", "settings", "length"),
    [
        ("n2v_tf", {"width": 8}, 128),
        ("n2v_tf", {"config": "n2v2", "width": 8}, 128),
        ("n2v_tf", {"config": "n2v-3d", "width": 4}, 64),
        ("n2v_tf", {"depth": 3, "kernel_size": 5, "width": 4}, 256),
        ("n2n_tf", {"channels": 1}, 384),
        ("n2n_tf", {"channels": 1, "network": "nn_relu"}, 64),
        ("n2n_tf", {"channels": 1, "network": "convtrans_relu"}, 64),
        ("ssdn_tf", {"channels": 1, "pipeline": "n2c"}, 384),
        ("dbsn_tf", {"config": "poisson30-mono", "width": 4, "blocks": 2}, 64),
        ("dbsn_tf.distill", {"width": 4}, 384),
    ],
)
def test_the_radius_is_what_gradients_measure(name, settings, length):
    denoiser = factory.build(name, **settings)
    assert receptive.measured_radius(denoiser, length=length) == denoiser.radius


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "length", "least"),
    # Their farthest pixels count for too little to be seen in every gradient.
    [("ssdn_tf", {"channels": 1}, 704, 280), ("rdunet_tf", {"channels": 1, "width": 8}, 512, 170)],
)
def test_wide_networks_see_at_most_the_radius(name, settings, length, least):
    denoiser = factory.build(name, **settings)
    measured = receptive.measured_radius(denoiser, length=length)
    assert least <= measured <= denoiser.radius


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("n2n_tf", {"channels": 1}),
        ("ssdn_tf", {"channels": 1, "noise_params": "global"}),
        ("dbsn_tf", {"config": "poissongauss30+5-mono", "width": 4, "blocks": 2}),
    ],
)
def test_with_the_whole_radius_tiles_make_no_difference(name, settings):
    denoiser = factory.build(name, **settings)
    image = RNG.random((33, 2 * denoiser.radius + 99, 1), np.float32)
    whole = prediction.restore(denoiser, {"noisy": image})
    settings = {"max_pixels": 1, "halo": denoiser.radius}
    tiled = prediction.restore(denoiser, {"noisy": image}, **settings)
    assert set(tiled) == set(whole)
    for key, value in whole.items():
        np.testing.assert_allclose(tiled[key], value, atol=1e-5, err_msg=key)


def test_augmentation_is_the_mean_over_turned_and_mirrored_images():
    denoiser = factory.build("ssdn_tf", channels=1, pipeline="n2c")
    image = RNG.random((20, 33, 1), np.float32)
    found = prediction.restore_augmented(denoiser, {"noisy": image})
    turned = prediction.restore_augmented(denoiser, {"noisy": np.rot90(image).copy()})
    np.testing.assert_allclose(np.rot90(found["denoised"]), turned["denoised"], atol=1e-5)
