"""Hidden pixels as a measure without clean images, and what `--check_only` says from it."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

import noise2x
from common.evaluation import hidden_pixels, without_training
from common.networks import base
from common.restoring import calibration, prediction

RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])[None, ..., None] / 8


def scene(side=192):
    """Spots of 400 to 3400 counts, in two thirds of it with stripes."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((side, side, 1)), 7)
    stripes = np.sin(np.arange(side) / 1.5)[:, None, None] * np.ones((side, 1)) > 0.9
    stripes[:, 2 * side // 3 :] = False
    return (400 + 2500 * (smooth - smooth.min()) / np.ptp(smooth) + 500 * stripes).astype("f4")


def noisy_scene(seed=0):
    rng = np.random.default_rng(seed)
    clean = scene()
    return (40 * rng.poisson(clean / 40) + 60 * rng.standard_normal(clean.shape)).astype("f4")


class Blind(base.Denoiser):
    """Restores by a function of the image that does not use the pixel itself."""

    TILES = False

    def __init__(self, config, function):
        super().__init__(config, name="blind")
        self.function = function

    def predict_on_batch(self, inputs):
        return {"denoised": self.function(inputs["noisy"])}


def ring(noisy):
    return ndimage.convolve(noisy, RING, mode="mirror")


def wide_ring(noisy):
    """The mean of 11x11 pixels without the nine in the middle."""
    wide, near = (ndimage.uniform_filter(noisy, (1, side, side, 1)) for side in (11, 3))
    return (121 * wide - 9 * near) / 112


def knows(noisy):
    return 0 * noisy + scene()


@pytest.fixture(scope="module")
def inner():
    return noise2x.load("photo-grey")


@pytest.fixture(scope="module")
def model(inner):
    return calibration.calibrate(inner, [noisy_scene()])


def true_error(denoiser, seed=0):
    restored = prediction.restore(denoiser, {"noisy": noisy_scene(seed)})["denoised"]
    return np.square(restored - scene(), dtype=np.float64).mean()


@pytest.mark.parametrize(("one", "other"), [(ring, wide_ring), (wide_ring, ring), (ring, knows)])
def test_two_blind_models_differ_as_their_true_errors_do(inner, model, one, other, monkeypatch):
    first, second = Blind(inner.config, one), Blind(inner.config, other)
    compare = hidden_pixels._square_errors
    monkeypatch.setattr(  # the first in place of the calibrated one, which still draws the pixels
        hidden_pixels, "_square_errors", lambda models, *rest: compare([first, second], *rest)
    )
    gain = hidden_pixels.difference(model, second, [noisy_scene()])
    truth = true_error(second) - true_error(first)
    assert abs(gain.value - truth) < 2 * gain.error < 0.6 * abs(truth)
    assert (gain.least > 0) == (truth > 0)


@pytest.mark.parametrize("function", [ring, wide_ring])
def test_the_gain_over_a_blind_model_is_not_overstated(inner, model, function):
    blind = Blind(inner.config, function)
    gain = hidden_pixels.difference(model, blind, [noisy_scene()])
    assert 0 < gain.least < true_error(blind) - true_error(model)
    (better,) = without_training.report(inner, "photo-grey", [noisy_scene()], blind, "RUN")[1:]
    assert "photo-grey is better than RUN, in the middle of 1 image: its mean square" in better


@pytest.mark.parametrize("own", [0.5, 0.9])
def test_a_model_that_keeps_noise_is_not_called_better(inner, own):
    """It restores each pixel by much of itself; where its own guess is put, it has no noise."""
    keeps = Blind(inner.config, lambda noisy: own * noisy + (1 - own) * ring(noisy))
    blind = Blind(inner.config, ring)
    truth = true_error(blind) - true_error(keeps)
    assert hidden_pixels.difference(keeps, blind, [noisy_scene()]).least < max(truth, 0)


def test_the_standard_error_is_not_less_than_the_scatter_over_noise(inner):
    """It holds how much the squares of a scene differ, too. Colour; sides no multiples of 16."""
    one, other = Blind(inner.config, ring), Blind(inner.config, wide_ring)
    found = []
    for seed in range(12):
        planes = [noisy_scene(6 * seed + number)[:103, :117, 0] for number in range(6)]
        images = [np.stack(planes[:3], axis=-1), np.stack(planes[3:], axis=-1)]
        found.append(hidden_pixels.difference(one, other, images))
    assert found[0].squares == 2 * 6 * 7
    scatter = np.std([gain.value for gain in found], ddof=1)
    assert 0.5 * scatter < np.mean([gain.error for gain in found]) < 5 * scatter


def test_areas_of_one_value_do_not_count(inner):
    one, other = Blind(inner.config, ring), Blind(inner.config, wide_ring)
    alone = hidden_pixels.difference(one, other, [noisy_scene()])
    with_mask = hidden_pixels.difference(one, other, [noisy_scene(), np.full((64, 64, 1), 500.0)])
    assert with_mask.value == alone.value


def test_noise_that_neighbours_share_a_little_is_not_compared(inner):
    """Hidden pixels can be guessed from it: by one model more than by another."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((192, 193, 1))
    noisy = (scene() + 150 * (white[:, 1:] + 0.35 * white[:, :-1])).astype("f4")
    *_, last = without_training.report(
        inner, "photo-grey", [noisy], Blind(inner.config, wide_ring), "RUN"
    )
    assert "can't be told: neighbours share the noise" in last
    plain = Blind(inner.config, wide_ring)
    *_, last = without_training.report(
        inner, "photo-grey", [noisy_scene()], plain, "RUN", for_shared_noise=True
    )
    assert "can't be told" in last


def test_what_is_better_than_calibration_is_not_called_worse(inner):
    best = Blind(inner.config, knows)
    lines = without_training.report(inner, "photo-grey", [noisy_scene()], best, "RUN")
    assert "not shown to be better than RUN" in lines[-1]


def test_models_that_divide_by_a_white_level_get_such_values(inner, model):
    class Scaled(Blind):
        def predict_on_batch(self, inputs):
            assert inputs["noisy"].max() < 3
            return super().predict_on_batch(inputs)

    plain = hidden_pixels.difference(model, Blind(inner.config, ring), [noisy_scene()])
    config = dataclasses.replace(inner.config, white_level=4095.0)
    scaled = hidden_pixels.difference(model, Scaled(config, ring), [noisy_scene()])
    assert scaled.value == pytest.approx(plain.value, rel=1e-4)


def test_without_a_training_it_says_how_and_what_speaks_against_it(inner):
    how, then = without_training.report(inner, "photo-grey", [noisy_scene()])
    assert "noise2x denoise --calibrate FILES restores them by photo-grey" in how
    assert "the same command with --run_dir=RUN says" in then
    shared = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((192, 192)), 1)
    (line,) = without_training.report(inner, "photo-grey", [scene() + 300 * shared[..., None]])
    assert "is not for these images: calm areas vary" in line
    (line,) = without_training.report(inner, "photo-grey", [noisy_scene()[:40, :40]])
    assert "can't be calibrated" in line
    lines = without_training.report(inner, "photo-grey", [np.minimum(noisy_scene(), 2000)])
    assert any(line.startswith("Careful, if calibrated") and "clipped" in line for line in lines)
