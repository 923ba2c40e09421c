"""common.evaluation.noise_level: strength, growth and neighbours of noise that is known."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as pictures

from common import noise as noises
from common.evaluation import noise_level

RNG = np.random.default_rng(0)
COLOUR = pictures.chelsea().astype(np.float64)  # hardly any noise of its own
GREY = COLOUR.mean(axis=-1, keepdims=True)


def white(shape, sigma):
    return sigma * RNG.standard_normal(shape)


@pytest.mark.parametrize("sigma", [5, 10, 25, 50])
@pytest.mark.parametrize(("scene", "tolerance"), [(COLOUR, 0.03), (GREY, 0.1)])
def test_white_noise_is_measured(scene, tolerance, sigma):
    found = noise_level.examine(scene + white(scene.shape, sigma))
    assert found.sigma == pytest.approx(sigma, rel=tolerance)
    assert not found.shared and not found.grows and not found.almost_none


def test_a_grey_picture_stored_as_colour_is_one_channel():
    noisy = np.repeat(GREY + white(GREY.shape, 20), 3, axis=-1)
    assert noise_level.examine(noisy).sigma == pytest.approx(20, rel=0.1)


def test_a_clean_picture_has_almost_none():
    found = noise_level.examine(COLOUR.astype(np.uint8))
    assert found.almost_none and found.sigma < 1


def test_noise_that_neighbours_share_is_none_that_pixels_have_alone():
    rest = ndimage.gaussian_filter(white((512, 512, 3), 20), (1.5, 1.5, 0))
    found = noise_level.examine(128 + rest)
    assert found.shared and found.sigma < rest.std() / 4
    assert found.calm == pytest.approx(rest.std(), rel=0.4)


def test_strong_noise_in_a_jpeg_is_not_taken_for_none():
    noisy = np.clip(COLOUR + white(COLOUR.shape, 25), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=95)
    found = noise_level.examine(np.asarray(Image.open(file)))
    assert found.shared and found.calm > 10


def test_the_noise_of_photons_grows_by_its_gain():
    gain, offset = 40.0, 900.0
    level = np.linspace(500, 8000, 512)[None, :, None] * np.ones((512, 1, 1))
    noisy = RNG.poisson(level / gain) * gain + white(level.shape, offset**0.5)
    found = noise_level.examine(noisy.clip(0, 65535).astype(np.uint16))
    assert found.grows
    assert found.gain == pytest.approx(gain, rel=0.1)


def test_too_small_images_are_refused():
    with pytest.raises(ValueError, match="20x400 pixels are too few"):
        noise_level.examine(np.zeros((400, 20, 1), np.uint8))


def test_noise_that_was_cut_off_is_a_mismatch():
    dark = 0.1 * COLOUR  # at most 25 of 255
    noisy = dark + white(COLOUR.shape, 10)
    cut = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    known, clipped = noises.parse("gauss0_55"), noises.parse("gauss0_55_clipped")
    said = noise_level.mismatch(noise_level.examine(cut), known, 255.0)
    assert "of its pixels were cut off at black or white" in said and "raw files have it" in said
    share = np.mean(cut == 0, axis=(0, 1)).max()
    assert noise_level.examine(cut).cut_off == pytest.approx(share, abs=0.01) and share > 0.1
    assert not noise_level.mismatch(noise_level.examine(cut), clipped, 255.0)
    assert not noise_level.mismatch(noise_level.examine(noisy), known, 255.0)
    black = np.round(COLOUR).astype(np.uint8)
    black[: len(black) // 2] = 0  # a clean picture with a black half
    assert not noise_level.mismatch(noise_level.examine(black), known, 255.0)


def test_a_model_of_another_noise_is_a_mismatch():
    noisy = COLOUR + white(COLOUR.shape, 10)
    found = noise_level.examine(noisy)
    for text, doubt in (
        ("gauss10", ""),
        ("gauss0_55", ""),
        ("gauss25", "of 255, and this model was trained on gauss25; it will smooth it too much"),
        ("gauss5", "trained on gauss5; it will leave noise"),
        ("poisson30", ""),
        ("none", ""),
    ):
        said = noise_level.mismatch(found, noises.parse(text), 255.0)
        assert doubt in said and bool(doubt) == bool(said), text
    shared = ndimage.gaussian_filter(noisy, (1.5, 1.5, 0))
    said = noise_level.mismatch(noise_level.examine(shared), noises.parse("gauss0_55"), 255.0)
    assert "independent noise and may make it worse; of colour" in said
