"""common.metrics beyond the golden values, which scripts/crosscheck holds them against."""

import numpy as np
import pytest

from common.evaluation import baselines, quality
from common.networks import metrics

RNG = np.random.default_rng(0)


def test_psnr_rounds_to_eight_bits_first():
    a = np.full((16, 16, 3), 0.5, np.float32)
    assert quality.psnr(a, a + 0.001) == float("inf")  # the same grey value
    assert quality.psnr_float(a, a + 0.01) == pytest.approx(40.0, abs=1e-4)
    assert quality.psnr(a * 0, a * 0 - 5.0) == float("inf")  # clipped


def test_ssim_is_one_for_equal_images_and_less_for_noisy_ones():
    a = RNG.random((32, 40, 3), np.float32)
    assert quality.ssim(a, a) == pytest.approx(1.0)
    noisy = a + 0.2 * RNG.standard_normal(a.shape).astype(np.float32)
    assert 0.2 < quality.ssim(a, noisy) < 0.95
    assert np.isnan(quality.ssim(a[:8], a[:8]))


def test_the_trainings_psnr_is_the_evaluations():
    a = RNG.random((3, 16, 16, 3), np.float32)
    b = np.clip(a + 0.1 * RNG.standard_normal(a.shape), 0, 1).astype(np.float32)
    mean = metrics.MeanPSNR()
    mean.update_state(a, b)
    expected = np.mean([quality.psnr(x, y) for x, y in zip(a, b)])
    assert float(mean.result()) == pytest.approx(expected, abs=1e-3)


def test_an_affine_fit_undoes_scale_and_offset():
    reference = RNG.random((20, 30, 1)).astype(np.float32)
    fitted = quality.fitted(reference * 500 - 40, reference)
    np.testing.assert_allclose(fitted, reference, atol=1e-5)
    np.testing.assert_allclose(quality.fitted(np.ones((4, 4, 1)), reference[:4, :4]).std(), 0)


def test_noise_is_estimated_on_a_picture():
    y, x = np.mgrid[:200, :200] / 30
    for sigma in (0.01, 0.2):
        noisy = (np.sin(x) * np.cos(y) + RNG.normal(0, sigma, (200, 200)))[..., None]
        assert baselines.estimated_deviation(noisy) == pytest.approx(sigma, rel=0.1)
        volume = np.stack([noisy[:99]] * 3)
        assert baselines.estimated_deviation(volume) == pytest.approx(sigma, rel=0.1)
