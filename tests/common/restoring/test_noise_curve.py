"""common.restoring.noise_curve: which pixels count, and what is made of them."""

import numpy as np
import pytest
from scipy import ndimage

from common.restoring import noise_curve


def test_what_a_denoiser_leaves_of_the_noise_is_made_up_for():
    rng = np.random.default_rng(0)
    clean = np.linspace(100, 1100, 200 * 200).reshape(200, 200)
    sigma = np.sqrt(4 * clean)
    noise = sigma * rng.standard_normal(clean.shape)
    for share in (0.0, 0.3, 0.8):  # that is left in the result
        curve = noise_curve.measure(
            [clean + noise],
            [clean + share * noise],
            [np.full(clean.shape, (1 - share) ** 2)],
            [np.ones(clean.shape, bool)],
        )
        values = np.linspace(200, 1000, 9)
        np.testing.assert_allclose(curve.at(values), 2 * np.sqrt(values), rtol=0.08)
        gain, offset = curve.line()
        assert gain == pytest.approx(4, rel=0.1) and abs(offset) < 150


def test_wrong_values_at_outlines_are_not_taken_for_noise():
    rng = np.random.default_rng(0)
    clean = np.linspace(0, 100, 200)[:, None] * np.ones((1, 200))
    clean[:, ::20] = 240  # narrow bars, which a model has smeared
    smeared = clean.copy()
    smeared[:, ::20] = 200 + 20 * rng.standard_normal((200, 10))
    noisy = clean + 2 * rng.standard_normal(clean.shape)
    everywhere = np.ones(clean.shape)
    curve = noise_curve.measure([noisy], [smeared], [everywhere], [everywhere == 1])
    scatter = np.sqrt(np.mean((noisy - smeared)[:, ::20] ** 2))
    assert scatter > 40
    assert (curve.at(np.array([20.0, 50, 80])) < 2.5).all()
    assert (curve.at(np.array([200.0, 240])) < 10).all(), curve


def test_texture_that_was_smoothed_is_lowered_towards_the_line_of_calm_values():
    rng = np.random.default_rng(0)
    clean = np.linspace(0, 100, 200)[:, None] * np.ones((1, 200))
    clean[:, 100:] = 200 + ndimage.gaussian_filter(300 * rng.standard_normal((200, 100)), 1)
    smoothed = clean.copy()
    smoothed[:, 100:] = ndimage.gaussian_filter(clean[:, 100:], 0.7)
    noisy = clean + 2 * rng.standard_normal(clean.shape)
    everywhere = np.ones(clean.shape)
    curve = noise_curve.measure([noisy], [smoothed], [everywhere], [everywhere == 1])
    scatter = np.std((noisy - smoothed)[:, 100:])
    assert scatter > 20
    assert curve.at(np.array([200.0]))[0] < 0.45 * scatter
    np.testing.assert_allclose(curve.at(np.array([20.0, 50, 80])), 2, rtol=0.15)


@pytest.mark.parametrize("scale", [1e-22, 1.0, 1e20])
def test_steep_scenes_and_any_scale_keep_noise_that_grows_otherwise_than_photons(scale):
    rng = np.random.default_rng(0)
    scene = ndimage.gaussian_filter(rng.standard_normal((256, 256)), 2)
    clean = scale * (1 + 30 * (scene - scene.min()) / np.ptp(scene))
    noisy = clean * (1 + 0.03 * rng.standard_normal(clean.shape))
    everywhere = np.ones(clean.shape)
    images = ([np.float32(image)] for image in (noisy, clean))
    curve = noise_curve.measure(*images, [everywhere], [everywhere == 1])
    values = np.quantile(clean, [0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(curve.at(values), 0.03 * values, rtol=0.1)


def test_a_curve_goes_on_as_its_line_above_and_stays_below():
    values = np.linspace(100, 1000, 10)
    curve = noise_curve.Curve(values, np.sqrt(4 * values + 9), np.full(10, 500))
    assert curve.line() == pytest.approx((4, 9))
    np.testing.assert_allclose(curve.at(np.array([0.0, 100, 2000])) ** 2, [409, 409, 8009])
    falling = noise_curve.Curve(values, np.linspace(30, 10, 10), np.full(10, 500))
    assert (falling.at(np.linspace(0, 9000, 50)) >= 5).all()  # half of the last


def test_what_is_clipped_and_what_is_only_rare():
    rng = np.random.default_rng(0)
    photons = rng.poisson(0.5, (200, 200))
    assert not noise_curve.clipped(photons).any()
    assert not noise_curve.clipped(np.minimum(photons, 1)).any()  # a binary detector
    assert not noise_curve.clipped(rng.poisson(3, (200, 200)).astype(np.uint16)).any()
    assert not noise_curve.clipped(rng.normal(0, 1, (200, 200))).any()
    assert not noise_curve.clipped(np.zeros((200, 200))).any()  # that is masked
    full = np.minimum(rng.poisson(50, (200, 200)), 60)
    np.testing.assert_array_equal(noise_curve.clipped(full), full == 60)
    cut = np.maximum(rng.normal(5, 10, (200, 200)), 0)  # as where the background is taken away
    np.testing.assert_array_equal(noise_curve.clipped(cut), cut == 0)


def test_areas_of_one_value_are_masks():
    image = np.random.default_rng(0).normal(100, 5, (100, 100))
    assert not noise_curve.masked(image).any()
    rows, columns = np.mgrid[:100, :100]
    outside = (rows - 50) ** 2 + (columns - 50) ** 2 > 45**2
    image[outside] = 0
    masked = noise_curve.masked(image)
    assert not masked[~outside].any() and masked[outside].mean() > 0.95
    assert not noise_curve.clipped(image).any()
    np.testing.assert_array_equal(noise_curve.shows_noise(image), ~masked)
