"""dbsn_tf.likelihood: Bayes' rule and the losses, from their definitions in float64."""

import numpy as np
import pytest

from dbsn_tf import likelihood

RNG = np.random.default_rng(0)
SHAPE = (2, 5, 4)
ENTRIES = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def covariances():
    """Random covariances, (N, H, W, 3, 3), of deviations around 0.1."""
    root = 0.1 * RNG.normal(size=(*SHAPE, 3, 3))
    return root @ np.swapaxes(root, -1, -2) + 1e-3 * np.eye(3)


def entries(full):
    return tuple(full[..., i, j].astype(np.float32) for i, j in ENTRIES)


def test_colour_is_restored_by_bayes_rule_of_matrices():
    noisy, mu = RNG.random((2, *SHAPE, 3)).astype(np.float32)
    var_mu, var_n = covariances(), covariances()
    denoised, std = likelihood.restore(noisy, mu, entries(var_mu), entries(var_n))
    precisions = [np.linalg.inv(c + 1e-6 * np.eye(3)) for c in (var_mu, var_n)]
    posterior = np.linalg.inv(sum(precisions))
    seen = precisions[0] @ mu[..., None] + precisions[1] @ noisy[..., None]
    np.testing.assert_allclose(denoised, (posterior @ seen)[..., 0], atol=1e-5)
    expected = np.sqrt(np.diagonal(posterior, axis1=-2, axis2=-1))
    np.testing.assert_allclose(std, expected, atol=1e-4)


def test_the_mean_counts_less_the_larger_its_variance():
    var_mu = np.array([1e-6, 1.0], np.float32).reshape(1, 1, 2, 1)
    noisy, mu = np.zeros_like(var_mu), np.ones_like(var_mu)
    denoised, std = likelihood.restore(noisy, mu, var_mu, np.full_like(var_mu, 1e-2))
    assert float(denoised[0, 0, 0, 0]) > 0.99 and float(denoised[0, 0, 1, 0]) < 0.02
    assert float(std[0, 0, 0, 0]) < 0.0011 and 0.09 < float(std[0, 0, 1, 0]) < 0.1


@pytest.mark.parametrize("loss", [likelihood.marginal, likelihood.constrained])
def test_the_losses_are_least_at_the_true_variance_of_the_noise(loss):
    noise = RNG.normal(0, 0.1, (1, 200, 200, 1)).astype(np.float32)
    mu = np.zeros_like(noise)
    none = np.full_like(noise, 1e-8)
    deviations = np.linspace(0.05, 0.2, 16)
    values = [np.mean(loss(noise, mu, none, np.full_like(noise, d**2))) for d in deviations]
    assert deviations[int(np.argmin(values))] == pytest.approx(0.1, abs=0.011)


def test_one_strength_an_image_is_the_average_and_a_covariance_too():
    output = RNG.normal(size=(2, 6, 5, 1)).astype(np.float32)
    variance = likelihood.noise_variance(output, channels=1, per_image=True)
    mean = output.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(variance, (np.log1p(np.exp(mean - 4)) + 1e-3) ** 2, rtol=1e-5)
    root = RNG.normal(size=(2, 6, 5, 6)).astype(np.float32)
    covariance = likelihood.noise_variance(root, channels=3, per_image=False, multivariate=True)
    u = np.zeros((2, 6, 5, 3, 3))
    for k, (i, j) in enumerate(ENTRIES):
        u[..., i, j] = root[..., k]
    expected = (u @ np.swapaxes(u, -1, -2)).mean(axis=(1, 2))
    for (i, j), entry in zip(ENTRIES, covariance, strict=True):
        np.testing.assert_allclose(entry[:, 0, 0], expected[:, i, j], rtol=1e-5)
