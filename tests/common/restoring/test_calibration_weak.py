"""common.restoring.calibration where there is hardly any noise."""

import numpy as np
import pytest
from skimage import data

import noise2x
from common.evaluation import quality
from common.restoring import calibrated_model, calibration, prediction


def test_the_least_deviations_are_raised_where_all_noise_is_weak():
    knots, ends = np.linspace(0, 1000, calibrated_model.KNOTS), (0.0, 10, 990, 1000.0)
    weak, strong = np.where(knots < 500, 3.0, 300.0), np.where(knots < 500, 30.0, 300.0)
    weaker = np.full(len(knots), 3.0)
    slopes = calibration._steepness(knots, np.array([weak, strong, weaker]), ends)
    np.testing.assert_allclose(slopes[1], 1 / strong)
    reach = slopes.mean(axis=1) * 1000  # in deviations
    assert 0.93 / calibration.WEAKEST < reach[0] < 1 / calibration.WEAKEST
    np.testing.assert_allclose(slopes[0, knots > 500], 1 / 300)
    np.testing.assert_allclose(slopes[2], calibration.WEAKEST**-1 / 1000, rtol=1e-6)


@pytest.mark.parametrize("sigma", [0, 2])
@pytest.mark.parametrize("picture", ["chelsea", "coffee"])
def test_photographs_with_hardly_any_noise_are_restored_as_without_calibration(picture, sigma):
    clean = getattr(data, picture)()[:256, -256:]
    noise = sigma * np.random.default_rng(0).standard_normal(clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    photo = noise2x.load("photo")
    plain = noise2x.denoise(noisy, photo)["denoised"]
    model = calibration.calibrate(photo, [noisy])
    restored = prediction.restore(model, {"noisy": noisy.astype(np.float32)})["denoised"]
    unit = [np.clip(image / 255, 0, 1) for image in (clean, plain, restored)]
    psnr = [quality.psnr_float(unit[0], image) for image in unit[1:]]
    assert psnr[1] > psnr[0] - 0.2, psnr
    assert restored.min() > -30 and restored.max() < 300
