"""common.evaluation.calibration_doubts: what is said, and what is not."""

import re

import numpy as np
import pytest
from scipy import ndimage

import noise2x
from common.evaluation import calibration_doubts
from common.restoring import calibrated_noise, calibration


def scene(side=192):
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((side, side, 1)), 7)
    return (400 + 3000 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def noisy_scene(gain=40.0, seed=0):
    rng = np.random.default_rng(seed)
    clean = scene()
    return (gain * rng.poisson(clean / gain) + 60 * rng.standard_normal(clean.shape)).astype("f4")


def white_noise():
    return np.random.default_rng(0).standard_normal((192, 192, 1)).astype(np.float32)


def shared_noise():
    return ndimage.gaussian_filter(white_noise(), (1, 1, 0))


@pytest.fixture(scope="module")
def inner():
    return noise2x.load("photo-grey")


@pytest.fixture(scope="module")
def calibrated(inner):
    return calibration.calibrate(inner, [noisy_scene()])


def test_plain_photons_are_not_doubted(calibrated):
    assert calibration_doubts.of_calibration(calibrated, [noisy_scene()]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda noisy: scene() + 300 * shared_noise(), "neighbours together.*--struct_kernel"),
        (lambda noisy: np.minimum(noisy * 30, 65535).astype(np.uint16), "are clipped"),
        (lambda noisy: np.minimum(noisy, 2200), "are clipped"),  # 12 bits in 16, say
        (lambda noisy: np.maximum(noisy, np.quantile(noisy, 0.2)), "are clipped"),
        (lambda noisy: noisy[:80, :80], "pixels are few"),
        (lambda noisy: noisy * (np.arange(192)[:, None, None] > 60), "areas of one value"),
        (
            lambda noisy: np.random.default_rng(0).poisson(scene() / 30000).astype(np.float32),
            "less than half a step of the values, 1, as where",
        ),
        (lambda _: scene() + 12 * white_noise(), "weak beside the range"),
    ],
)
def test_what_speaks_against_a_calibration(inner, change, message):
    image = change(noisy_scene())
    model = calibration.calibrate(inner, [image])
    doubts = calibration_doubts.of_calibration(model, [image])
    assert any(re.search(message, doubt) for doubt in doubts), doubts


def test_zeros_of_counts_are_not_clipped_and_a_mask_is_a_mask(inner):
    photons = np.random.default_rng(0).poisson(scene() / 1000).astype(np.uint16)
    model = calibration.calibrate(inner, [photons])
    doubts = calibration_doubts.of_calibration(model, [photons])
    assert not any("clipped" in doubt or "one value" in doubt for doubt in doubts), doubts
    image = np.clip(noisy_scene(), 0, 65535).astype(np.uint16)
    image[:60] = 0
    (doubt,) = calibration_doubts.of_calibration(calibration.calibrate(inner, [image]), [image])
    assert "areas of one value" in doubt


def test_a_black_channel_is_no_reason_for_doubt():
    image = np.concatenate([noisy_scene(), noisy_scene(seed=1), 0 * noisy_scene()], axis=-1)
    model = calibration.calibrate(noise2x.load("photo"), [image])
    doubts = calibration_doubts.of_calibration(model, [image])
    assert not any("clipped" in doubt or "step of the values" in doubt for doubt in doubts), doubts
    assert calibrated_noise.estimate(model).gain == pytest.approx(40, rel=0.2)


def test_noise_as_strong_as_the_model_knows_it(calibrated):
    strong = calibrated.copy()
    strong.level.assign([calibrated.inner.config.noise.high / 255])
    doubts = calibration_doubts.of_calibration(strong, [noisy_scene()])
    assert any("as strong beside the picture" in doubt for doubt in doubts)


def test_values_that_were_not_calibrated_are_named(calibrated):
    assert calibration_doubts.of_use(calibrated, noisy_scene()) == ""
    assert "--calibrate_each" in calibration_doubts.of_use(calibrated, 3 * noisy_scene())
