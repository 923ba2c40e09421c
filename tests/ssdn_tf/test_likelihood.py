"""ssdn_tf.likelihood: properties; its values and gradients are in the cross-check."""

import numpy as np
import pytest
from keras import ops

from ssdn_tf import likelihood

RNG = np.random.default_rng(0)
SIGMA = np.full((1, 1, 1, 1), 0.1, np.float32)


def outputs(channels, spread=0.3, size=16):
    raw = RNG.standard_normal((1, size, size, likelihood.count_outputs(channels)))
    raw[..., :channels] = 0.5 + 0.1 * raw[..., :channels]
    raw[..., channels:] *= spread
    return raw.astype(np.float32)


def bayes(raw, noisy, noise=SIGMA, model="gauss", **options):
    result = likelihood.bayes(raw, noisy, noise, noise_model=model, **options)
    return {name: np.asarray(value) for name, value in result.items()}


def fill_upper(matrix, components):
    """Puts components into an upper triangle, row by row."""
    rows, columns = np.triu_indices(matrix.shape[-1])
    matrix[..., rows, columns] = components


def covariance(raw):
    """Sigma_x of each pixel by plain matrix products."""
    u = np.zeros((*raw.shape[:-1], 3, 3))
    fill_upper(u, raw[..., 3:])
    return u @ np.swapaxes(u, -1, -2)


def test_the_closed_form_is_the_matrix_formula():
    raw, noisy = outputs(3), RNG.random((1, 16, 16, 3), np.float32)
    result = bayes(raw, noisy)
    mu, var_x = raw[..., :3].astype(float), covariance(raw.astype(float))
    var_y = var_x + 0.01 * np.eye(3)
    d = noisy - mu
    gain = var_x @ np.linalg.inv(var_y)
    expected = mu + (gain @ d[..., None])[..., 0]
    np.testing.assert_allclose(result["denoised"], expected, atol=1e-4)  # epsilon is 1e-6
    posterior = var_x - gain @ var_x
    variance = np.diagonal(posterior, axis1=-2, axis2=-1)
    np.testing.assert_allclose(np.square(result["std"]), variance, atol=2e-6)
    loss = 0.5 * (d * np.linalg.solve(var_y, d[..., None])[..., 0]).sum(-1)
    loss += 0.5 * np.log(np.linalg.det(var_y))
    np.testing.assert_allclose(result["loss"], loss, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_posterior_lies_between_network_and_noisy_pixel_as_they_are_certain(channels):
    noisy = RNG.random((1, 16, 16, channels), np.float32)
    certain = bayes(outputs(channels, spread=0.0), noisy)
    np.testing.assert_allclose(certain["denoised"], certain["mean"], atol=1e-3)
    assert certain["std"].max() < 2e-3
    wide = outputs(channels, spread=0.0)
    wide[..., [1] if channels == 1 else [3, 6, 8]] = 100.0
    unsure = bayes(wide, noisy)
    np.testing.assert_allclose(unsure["denoised"], noisy, atol=1e-3)
    np.testing.assert_allclose(unsure["std"], 0.1, rtol=1e-2)


@pytest.mark.parametrize("model", ["gauss", "poisson", "impulse"])
@pytest.mark.parametrize("spread", [0.0, 1e-6, 1e-3, 1.0, 1e3])
def test_extreme_outputs_stay_finite_and_so_do_gradients(model, spread):
    from scripts.check.checkers import comparing

    raw, noisy = outputs(3, spread, size=8), RNG.random((1, 8, 8, 3), np.float32)
    noise = np.full(
        (1, 1, 1, 1), {"gauss": 0.0, "poisson": 50.0, "impulse": 0.0}[model], np.float32
    )
    result = bayes(raw, noisy, noise, model)
    assert all(np.isfinite(value).all() for value in result.values())
    (gradient,) = comparing.gradients(
        lambda r: ops.mean(likelihood.bayes(r, noisy, noise, noise_model=model)["loss"]), raw
    )
    assert np.isfinite(np.asarray(gradient)).all()


def test_predicted_deviations_are_those_of_samples():
    """Clean values drawn from the network's distribution: errors must be as large as predicted."""
    count = 200
    raw = np.repeat(outputs(3, size=4), count, axis=0)
    u = np.zeros((*raw.shape[:-1], 3, 3))
    fill_upper(u, raw[..., 3:])
    clean = raw[..., :3] + (u @ RNG.standard_normal((*raw.shape[:-1], 3, 1)))[..., 0]
    noisy = clean + 0.1 * RNG.standard_normal(clean.shape)
    result = bayes(raw, noisy.astype(np.float32))
    ratio = np.sqrt(np.mean(np.square((result["denoised"] - clean) / result["std"]), axis=0))
    ratio = ratio[result["std"][0] > 5e-3]  # a floor of 1e-3 widens smaller ones
    assert ratio.size > 40
    np.testing.assert_allclose(ratio, 1.0, atol=0.25)
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.03)


def test_impulse_keeps_what_fits_and_replaces_what_does_not():
    raw = np.zeros((1, 1, 2, 9), np.float32)
    raw[..., :3], raw[..., [3, 6, 8]] = 0.5, 0.01
    noisy = np.array([[[[0.505, 0.5, 0.5], [0.9, 0.1, 0.9]]]], np.float32)
    result = bayes(raw, noisy, np.full((1, 1, 1, 1), 0.5, np.float32), "impulse")
    np.testing.assert_allclose(result["denoised"][0, 0, 0], noisy[0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(result["denoised"][0, 0, 1], 0.5, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_workshop_formulation_is_its_equations(channels):
    """Equation 1 and 3, where Sigma_y exceeds the noise and nothing is clamped."""
    diagonal = [1] if channels == 1 else [3, 6, 8]
    raw = 0.3 * outputs(channels)
    raw[..., :channels] = 0.5
    raw[..., diagonal] = 2.0 + RNG.random((1, 16, 16, channels))
    noisy = RNG.random((1, 16, 16, channels), np.float32)
    result = {k: np.asarray(v) for k, v in likelihood.workshop(raw, noisy, SIGMA).items()}
    a = np.zeros((*raw.shape[:-1], channels, channels))
    fill_upper(a, raw[..., channels:])
    d = (noisy - raw[..., :channels]).astype(float)
    ad = (a @ d[..., None])[..., 0]
    loss = 0.5 * np.square(ad).sum(-1) - np.log(np.linalg.det(a))
    np.testing.assert_allclose(result["loss"], loss, rtol=1e-4, atol=1e-4)
    var_y = np.linalg.inv(np.swapaxes(a, -1, -2) @ a)
    var_p, var_n = var_y - 0.01 * np.eye(channels), 0.01 * np.eye(channels)
    inv_p, inv_n = np.linalg.inv(var_p), np.linalg.inv(var_n)
    mean = inv_p @ raw[..., :channels, None] + inv_n @ noisy[..., None]
    expected = (np.linalg.inv(inv_p + inv_n) @ mean)[..., 0]
    np.testing.assert_allclose(result["denoised"], expected, atol=1e-4)


@pytest.mark.parametrize("spread", [0.1, 10.0, 1e3])
def test_the_workshop_formulation_survives_variances_below_the_noise(spread):
    rng = np.random.default_rng(0)
    raw = (spread * rng.standard_normal((1, 128, 128, 9))).astype(np.float32)
    raw[..., :3] = 0.5
    noisy = rng.random((1, 128, 128, 3), np.float32)
    result = {k: np.asarray(v) for k, v in likelihood.workshop(raw, noisy, SIGMA).items()}
    assert all(np.isfinite(value).all() for value in result.values())
    # What is restored lies no further from the mean than the noisy value, in whatever direction.
    moved, distance = (np.linalg.norm(x - 0.5, axis=-1) for x in (result["denoised"], noisy))
    assert (moved <= distance * (1 + 1e-5)).all()
    assert (result["std"] <= SIGMA * (1 + 1e-5)).all()


def test_what_is_not_defined_is_refused():
    with pytest.raises(ValueError, match="defined for 3 only"):
        bayes(outputs(1), np.zeros((1, 16, 16, 1), np.float32), model="impulse")
    with pytest.raises(ValueError, match="expected gauss, poisson or impulse"):
        bayes(outputs(1), np.zeros((1, 16, 16, 1), np.float32), model="uniform")
