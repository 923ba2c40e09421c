"""common.text: coverage, repeatability, and what happens without fonts."""

import shutil

import numpy as np
import pytest

from common import noise
from common.data import pipeline
from common.noise import text

RNG = np.random.default_rng


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("coverage", [0.0, 0.1, 0.5])
def test_text_covers_what_it_should(channels, coverage):
    clean = np.full((128, 160, channels), 2.0, np.float32)  # no letter has this value
    noisy = text.overlay(clean, coverage, RNG(0))
    covered = (noisy != clean).any(axis=-1).mean()
    assert coverage <= covered < coverage + 0.15
    assert (clean == 2.0).all() and noisy.dtype == np.float32
    assert (noisy[noisy != clean] >= 0).all()


def test_one_seed_one_text():
    clean = np.zeros((64, 64, 3), np.float32)
    first, same, other = (text.overlay(clean, 0.3, RNG(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_letters_are_of_several_colours_and_sizes():
    noisy = text.overlay(np.zeros((256, 256, 3), np.float32), 0.3, RNG(0))
    colours, counts = np.unique(noisy.reshape(-1, 3), axis=0, return_counts=True)
    opaque = colours[counts > 100]  # antialiased edges are of many more, each on few pixels
    assert len(opaque) > 10
    heights = []
    for colour in opaque[1:]:  # the first is the background
        rows = (noisy == colour).all(axis=-1).any(axis=1).nonzero()[0]
        heights.append(int(np.ptp(rows)))
    assert max(heights) > 2 * min(heights)


def test_small_images_and_single_pixels():
    for size in ((1, 1), (5, 300), (3, 3)):
        clean = np.full((*size, 1), 2.0, np.float32)
        assert (text.overlay(clean, 0.5, RNG(0)) != clean).mean() >= 0.5


@pytest.fixture
def fresh_fonts():
    text.font_paths.cache_clear()
    yield
    text.font_paths.cache_clear()


def test_no_fonts_is_said_before_anything_starts(tmp_path, monkeypatch, fresh_fonts):
    monkeypatch.setenv("N2X_FONTS", str(tmp_path))
    with pytest.raises(text.FontError, match="no fonts with letters in .*set N2X_FONTS"):
        noise.parse("text25").check()
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(text.FontError, match="bad.ttf: not readable as a font"):
        noise.parse("text25").check()


def test_own_fonts_are_used(tmp_path, monkeypatch, fresh_fonts):
    default = text.font_paths()
    assert len(default) > 5
    shutil.copy(default[0], tmp_path / "one.ttf")
    monkeypatch.setenv("N2X_FONTS", str(tmp_path))
    text.font_paths.cache_clear()
    assert text.font_paths() == [str(tmp_path / "one.ttf")]


def test_text_of_an_evaluation_is_fixed():
    clean = np.full((48, 48, 3), 0.5, np.float32)
    model = noise.parse("text10_30")
    (a, level), (b, _) = (pipeline.evaluation_noise(clean, model, 0, 3) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert 0.1 <= level <= 0.3
    assert not np.array_equal(a, pipeline.evaluation_noise(clean, model, 0, 4)[0])
