"""The estimate of errors without clean images, and what `--check_only` says from it."""

import numpy as np
import pytest
from scipy import ndimage

import noise2x
from common.evaluation import risk, without_training
from common.networks import base
from common.restoring import calibration, prediction


def scene(side=192):
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((side, side, 1)), 7)
    return (400 + 3000 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def noisy_scene(seed=0):
    rng = np.random.default_rng(seed)
    clean = scene()
    return (40 * rng.poisson(clean / 40) + 60 * rng.standard_normal(clean.shape)).astype("f4")


class Mean(base.Denoiser):
    """Restores by the mean of a square of `side` pixels."""

    def __init__(self, config, side):
        super().__init__(config, name="mean")
        self.side = side
        self.TILES = False

    def predict_on_batch(self, inputs):
        return {"denoised": ndimage.uniform_filter(inputs["noisy"], (1, self.side, self.side, 1))}


@pytest.fixture(scope="module")
def inner():
    return noise2x.load("photo-grey")


@pytest.fixture(scope="module")
def model(inner):
    return calibration.calibrate(inner, [noisy_scene()])


def true_error(denoiser):
    restored = prediction.restore(denoiser, {"noisy": noisy_scene()})["denoised"]
    return np.square(restored - scene(), dtype=np.float64).mean()


@pytest.mark.parametrize("side", [1, 3, 15, 41])
def test_the_risk_is_the_error_beside_another_noisy_image(inner, model, side):
    image = noisy_scene()
    variances = risk.variance(model, image)
    mean = Mean(inner.config, side)
    estimate = risk.mean([risk.pixelwise(mean, image, variances)])
    truth = true_error(mean) + variances.mean()
    assert estimate.value == pytest.approx(truth, rel=0.03)
    assert abs(estimate.value - truth) < 4 * estimate.error


@pytest.mark.parametrize("side", [1, 41])
def test_a_calibrated_model_is_told_to_be_better_where_it_is(inner, model, side):
    mean = Mean(inner.config, side)
    assert true_error(model) < true_error(mean)
    lines = without_training.report(inner, "photo-grey", [noisy_scene()], mean, "RUN")
    assert "is better than RUN" in lines[-1]


def test_a_better_training_is_told(inner):
    class Knows(Mean):
        def predict_on_batch(self, inputs):
            return {"denoised": 0 * inputs["noisy"] + scene()}

    lines = without_training.report(
        inner, "photo-grey", [noisy_scene()], Knows(inner.config, 1), "RUN"
    )
    assert "worse than RUN: the training has paid" in lines[-1]


def test_what_is_left_of_the_noise(inner, model):
    (line, then) = without_training.report(inner, "photo-grey", [noisy_scene()])
    left, noise = (float(line.split(word)[1].split()[0]) for word in ("about ", "noise of "))
    assert left == pytest.approx(true_error(model) ** 0.5, rel=0.5)
    assert noise == pytest.approx((40 * scene().mean() + 60**2) ** 0.5, rel=0.1)
    assert "--check_only --run_dir" in then


def test_where_it_is_no_way(inner):
    shared = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((192, 192)), 1)
    (line,) = without_training.report(inner, "photo-grey", [scene() + 300 * shared[..., None]])
    assert "is not for these images: calm areas vary" in line
    (line,) = without_training.report(inner, "photo-grey", [noisy_scene()[:40, :40]])
    assert "can't be calibrated" in line
    clipped = np.minimum(noisy_scene(), 2200)
    assert any(
        "clipped" in line for line in without_training.report(inner, "photo-grey", [clipped])
    )
