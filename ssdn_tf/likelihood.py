"""Likelihoods of noisy pixels and posteriors of clean ones (Laine et al. 2019, section 3).

From the surroundings of a pixel the network predicts a normal distribution of its clean value x:
x ~ N(mu, Sigma_x). The noise model gives p(y | x) for the noisy value y. The training maximises
p(y); the restored image is E[x | y]. All functions compute closed forms, independently for every
pixel, and are safe in float32: they never invert a matrix that could be singular. The golden files
tests/golden/ssdn_pipeline_*.npz, which the original computed in float64, prove the formulas.

For C = 3 channels, Sigma_x = U U^T with an upper triangular U. A triangle is stored as its six
entries (00, 01, 02, 11, 12, 22), each (N, H, W).
"""

import math

from keras import ops

from common.networks import triangular

EPSILON = 1e-6  # the original adds it to diagonals so that its inverses exist
MIN_DETERMINANT = 1e-9  # lower bound of determinants, for impulse noise
REGULARISER = 0.1  # weight of an estimated level of noise in the loss


def count_outputs(channels, diagonal_covariance=False):
    """Number of values that the network predicts per pixel: means, then components of the root U.

    Args:
        channels: 1 or 3.
        diagonal_covariance: whether only the diagonal of U is predicted.
    """
    components = channels if diagonal_covariance else channels * (channels + 1) // 2
    return channels + components


def bayes(outputs, noisy, noise, *, noise_model, estimated=False, diagonal_covariance=False):
    """Computes the likelihood of the noisy image and the posterior of the clean one.

    Args:
        outputs: (N, H, W, `count_outputs(C)`), the output of the blind-spot network.
        noisy: (N, H, W, C), images on [0, 1] with noise that was not clipped.
        noise: noise parameter, broadcastable to (N, 1, 1, 1): standard deviation on [0, 1] (gauss),
            lambda (poisson; 1 / lambda if estimated), or probability (impulse).
        noise_model: "gauss", "poisson" or "impulse".
        estimated: whether `noise` is an estimate (of `noise_from_raw`) and not the known level.
        diagonal_covariance: whether the channels of x are modelled as independent.

    Returns:
        dict of
        mean: (N, H, W, C), mu.
        denoised: (N, H, W, C), E[x | y].
        std: (N, H, W, C), standard deviation of p(x | y), the uncertainty of `denoised`.
        mean_std: (N, H, W, 1), det(Sigma_x)^(1 / 2C), the uncertainty of `mean`, as the original
            computes it.
        noise_std: broadcastable to (N, H, W, 1), det(Sigma_n)^(1 / 2C); for impulse noise
            probability * 100 / 255, which the original multiplies by 255 and prints as per cent.
        loss: (N, H, W); the training minimises its mean.

    Raises:
        ValueError: the noise model is unknown, or it is impulse and C is not 3.
    """
    channels = noisy.shape[-1]
    mu = outputs[..., :channels]
    components = outputs[..., channels:]
    if noise_model == "impulse":
        if channels != 3:
            raise ValueError(f"Impulse noise with {channels} channel(s): defined for 3 only.")
        return _impulse_rgb(mu, _triangle(components, diagonal_covariance), noisy, noise)
    var_n = noise_variance(mu, noise, noise_model, estimated)
    if channels == 1:
        result = _normal_mono(mu, ops.square(components), noisy, var_n)
        sigma_n = ops.sqrt(var_n)
    else:
        root = _triangle(components, diagonal_covariance)
        result = _normal_rgb(mu, root, noisy, var_n)
        sigma_n = ops.sqrt(var_n)
        result["noise_std"] = ops.exp(ops.mean(ops.log(sigma_n), axis=-1, keepdims=True))
    if estimated:
        # The original's regulariser: where noise and Sigma_x explain a residual equally well, it
        # makes the noise explain it.
        result["loss"] = result["loss"] - REGULARISER * ops.mean(sigma_n, axis=-1)
    return result


def workshop(outputs, noisy, sigma, *, diagonal_covariance=False):
    """The formulation of Laine et al. 2019a (ICLR workshop) for Gaussian noise of known sigma.

    The network predicts the distribution of the noisy value y: its mean mu_y and an upper
    triangular A with Sigma_y^-1 = A^T A. The loss is 0.5 |A (y - mu_y)|^2 - log |A| (equation 1),
    where |A| is at least 1e-8. The restored image is
    (Sigma_p^-1 + sigma^-2 I)^-1 (Sigma_p^-1 mu_y + sigma^-2 y) (equation 3) with
    Sigma_p = Sigma_y - sigma^2 I. Variances in Sigma_p that are below 0 become 0, and covariances
    are clipped to the product of the two standard deviations.

    Args:
        outputs, noisy, diagonal_covariance: see `bayes`.
        sigma: standard deviation on the [0, 1] scale, broadcastable to (N, 1, 1, 1).

    Returns:
        dict, see `bayes`.
    """
    channels = noisy.shape[-1]
    mu, components = outputs[..., :channels], outputs[..., channels:]
    var_n = ops.square(sigma)
    if channels == 1:
        a = components[..., 0]
        residual = a * (noisy - mu)[..., 0]
        loss = 0.5 * ops.square(residual) - ops.log(ops.maximum(a, 1e-8))
        inverse = 1.0 / ops.maximum(ops.square(components), 1e-8)
        result = _normal_mono(mu, ops.maximum(inverse - var_n, 0.0), noisy, var_n)
        return result | {"loss": loss}
    root = _triangle(components, diagonal_covariance)
    a00, a01, a02, a11, a12, a22 = root
    d0, d1, d2 = _channels(noisy - mu)
    residual = (a00 * d0 + a01 * d1 + a02 * d2, a11 * d1 + a12 * d2, a22 * d2)
    loss = 0.5 * triangular.norm(residual) - ops.log(ops.maximum(a00 * a11 * a22, 1e-8))

    # Sigma_y = V V^T with V = A^-1, upper triangular too.
    v00, v11, v22 = (ops.sign(a) / ops.maximum(ops.abs(a), 1e-4) for a in (a00, a11, a22))
    v01 = -a01 * v00 * v11
    v12 = -a12 * v11 * v22
    v02 = (a01 * a12 * v11 - a02) * v00 * v22
    n = var_n[..., 0]
    p00 = ops.maximum(ops.square(v00) + ops.square(v01) + ops.square(v02) - n, 0.0)
    p11 = ops.maximum(ops.square(v11) + ops.square(v12) - n, 0.0)
    p22 = ops.maximum(ops.square(v22) - n, 0.0)

    def bounded(covariance, a, b):
        limit = ops.sqrt(a * b)
        return ops.clip(covariance, -limit, limit)

    p01 = bounded(v01 * v11 + v02 * v12, p00, p11)
    p02 = bounded(v02 * v22, p00, p22)
    p12 = bounded(v12 * v22, p11, p22)
    r = triangular.cholesky(p00 + n, p01, p02, p11 + n, p12, p22 + n)
    z0, z1, z2 = triangular.solve(r, (d0, d1, d2))
    moved = (
        p00 * z0 + p01 * z1 + p02 * z2,
        p01 * z0 + p11 * z1 + p12 * z2,
        p02 * z0 + p12 * z1 + p22 * z2,
    )
    moved = ops.stack(moved, axis=-1)
    # After the clamps Sigma_p may not be a covariance. With a covariance, the factor
    # Sigma_p (Sigma_p + sigma^2 I)^-1 shrinks: the restored value is never further from the mean
    # than the noisy one. This bound restores that property.
    lengths = [
        ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True)) for x in (noisy - mu, moved)
    ]
    moved = moved * ops.minimum(1.0, lengths[0] / ops.maximum(lengths[1], 1e-12))
    variance = ops.stack([n * (1.0 - n * s) for s in triangular.inverse_diagonal(r)], axis=-1)
    return {
        "mean": mu,
        "denoised": mu + moved,
        "std": ops.sqrt(ops.clip(variance, 0.0, var_n)),
        "mean_std": ((p00 * p11 * p22) ** (1 / 6))[..., None],
        "noise_std": sigma,
        "loss": loss,
    }


def noise_from_raw(raw):
    """Makes a positive noise parameter of any number: softplus(raw - 4) + 1e-3; 0 gives 0.019."""
    return ops.softplus(raw - 4.0) + 1e-3


def raw_from_noise(noise):
    """The inverse of `noise_from_raw`, for a noise parameter above 1e-3."""
    return 4.0 + math.log(math.expm1(noise - 1e-3))


def noise_variance(mu, noise, noise_model, estimated):
    """Variance of the noise in every channel: (N, 1, 1, 1) for gauss, (N, H, W, C) for poisson.

    Args:
        mu: (N, H, W, C), predicted mean of the clean value; the variance of Poisson noise grows
            with it.
        noise, noise_model, estimated: see `bayes`.

    Raises:
        ValueError: another noise model.
    """
    if noise_model == "gauss":
        return ops.square(noise if estimated else ops.maximum(noise, 1e-3))
    if noise_model == "poisson":
        signal = ops.maximum(mu, 1e-3)
        return signal * noise if estimated else signal / noise
    raise ValueError(f"noise_model={noise_model!r}: expected gauss, poisson or impulse.")


# One channel


def _normal_mono(mu, var_x, y, var_n):
    """`bayes` for one channel; loss: -2 log p(y) without its constant.

    All arguments are (N, H, W, 1) or broadcastable to it; var_n > 0.
    """
    var_y = var_x + var_n
    return {
        "mean": mu,
        "denoised": (y * var_x + mu * var_n) / var_y,
        "std": ops.sqrt(var_x / var_y * var_n),
        "mean_std": ops.sqrt(var_x),
        "noise_std": ops.sqrt(var_n),
        "loss": (ops.square(y - mu) / var_y + ops.log(var_y))[..., 0],
    }


# Three channels


def _triangle(components, diagonal):
    """Entries (00, 01, 02, 11, 12, 22) of U, each (N, H, W), from the network's components."""
    if diagonal:
        a, b, c = ops.unstack(components, axis=-1)
        zero = ops.zeros_like(a)
        return a, zero, zero, b, zero, c
    return tuple(ops.unstack(components, axis=-1))


def _channels(x):
    """Three arrays (N, H, W) from (N, H, W, 3), or one array three times from (N, H, W, 1)."""
    return (x[..., 0],) * 3 if x.shape[-1] == 1 else tuple(ops.unstack(x, axis=-1))


def _product_of_normals(mu, root, y, var_n):
    """Mean and standard deviation of x, given x ~ N(mu, U U^T) and y ~ N(x, diag(var_n)).

    The original computes inv(inv(X) + inv(N) + eI) (inv(X) mu + inv(N) y) with X = U U^T + eI and
    N = diag(var_n) + eI. Here the same value is mu plus a correction: with W = inv(N) + eI,
    S = X + inv(W) and v = W^-1 (N^-1 (y - mu) - e mu) it is mu + X S^-1 v, and the covariance is
    W^-1 - W^-1 S^-1 W^-1.
    """
    mu, y = _channels(mu), _channels(y)
    inv_n = [1.0 / (v + EPSILON) for v in _channels(var_n)]
    w = [1.0 / (q + EPSILON) for q in inv_n]
    v = [w_i * (q * (y_i - m) - EPSILON * m) for w_i, q, y_i, m in zip(w, inv_n, y, mu)]
    r = triangular.factor(root, [EPSILON + w_i for w_i in w])
    z = triangular.solve(r, v)
    u00, u01, u02, u11, u12, u22 = root
    t = (u00 * z[0], u01 * z[0] + u11 * z[1], u02 * z[0] + u12 * z[1] + u22 * z[2])  # U^T z
    moved = (u00 * t[0] + u01 * t[1] + u02 * t[2], u11 * t[1] + u12 * t[2], u22 * t[2])
    mean = [m + d + EPSILON * z_i for m, d, z_i in zip(mu, moved, z)]
    variance = [w_i * (1.0 - w_i * s) for w_i, s in zip(w, triangular.inverse_diagonal(r))]
    std = ops.sqrt(ops.maximum(ops.stack(variance, axis=-1), 0.0))
    return ops.stack(mean, axis=-1), std


def _normal_rgb(mu, root, y, var_n):
    """`bayes` for three channels.

    The loss is 0.5 d^T Sigma_y^-1 d + 0.5 log det Sigma_y with d = y - mu and
    Sigma_y = Sigma_x + Sigma_n.
    """
    r = triangular.factor(root, _channels(var_n))
    z = triangular.solve_upper(r, _channels(y - mu))
    denoised, std = _product_of_normals(mu, root, y, var_n)
    determinant = ops.abs(root[0] * root[3] * root[5])  # |det U|, the square root of det(Sigma_x)
    return {
        "mean": mu,
        "denoised": denoised,
        "std": std,
        "mean_std": (determinant ** (1 / 3))[..., None],
        "loss": 0.5 * triangular.norm(z) + 0.5 * triangular.log_determinant(r),
    }


def _impulse_rgb(mu, root, y, alpha):
    """`bayes` for impulse noise in three channels.

    A pixel y is uniform on [0, 1]^3 with probability alpha, and clean otherwise. The likelihood
    approximates this mixture by a normal distribution with the same mean and covariance; the
    posterior uses the mixture itself. EPSILON is added to the diagonal of Sigma_x.
    """
    alpha_map = alpha[..., 0]
    mu_c, y_c = _channels(mu), _channels(y)

    # The mixture's covariance: alpha I / 12 + (1 - alpha) Sigma_x + alpha (1 - alpha) v v^T.
    v = [m - 0.5 for m in mu_c]
    diagonal = alpha_map / 12.0 + (1.0 - alpha_map) * EPSILON
    spread = alpha_map * (1.0 - alpha_map)
    u00, u01, u02, u11, u12, u22 = root
    keep = 1.0 - alpha_map
    c00 = (
        diagonal + keep * (ops.square(u00) + ops.square(u01) + ops.square(u02)) + spread * v[0] ** 2
    )
    c01 = keep * (u01 * u11 + u02 * u12) + spread * v[0] * v[1]
    c02 = keep * u02 * u22 + spread * v[0] * v[2]
    c11 = diagonal + keep * (ops.square(u11) + ops.square(u12)) + spread * v[1] ** 2
    c12 = keep * u12 * u22 + spread * v[1] * v[2]
    c22 = diagonal + keep * ops.square(u22) + spread * v[2] ** 2
    r_y = triangular.cholesky(c00, c01, c02, c11, c12, c22)
    mean_y = [alpha_map / 2.0 + keep * m for m in mu_c]
    z = triangular.solve_upper(r_y, [a - b for a, b in zip(y_c, mean_y)])
    loss = triangular.norm(z) + ops.log(
        ops.maximum((r_y[0] * r_y[3] * r_y[5]) ** 2, MIN_DETERMINANT)
    )

    r_x = triangular.factor(root, (EPSILON,) * 3)
    density = triangular.norm(triangular.solve_upper(r_x, _channels(y - mu)))
    determinant = (r_x[0] * r_x[3] * r_x[5]) ** 2
    # log h with h = (1 - alpha) N(y; mu, Sigma_x); the pixel is clean with probability
    # h / (alpha + h).
    log_h = ops.log(ops.maximum(keep, 1e-30)) - 0.5 * (
        density + 3.0 * math.log(2.0 * math.pi) + ops.log(ops.maximum(determinant, MIN_DETERMINANT))
    )
    kept = ops.sigmoid(log_h - ops.log(ops.maximum(alpha_map, 1e-30)))[..., None]
    denoised = mu + kept * (y - mu)
    var_x = ops.stack(
        [
            ops.square(u00) + ops.square(u01) + ops.square(u02),
            ops.square(u11) + ops.square(u12),
            ops.square(u22),
        ],
        axis=-1,
    )
    variance = (1.0 - kept) * (var_x + EPSILON + ops.square(mu - denoised))
    return {
        "mean": mu,
        "denoised": denoised,
        "std": ops.sqrt(variance + kept * ops.square(y - denoised)),
        "mean_std": (determinant ** (1 / 6))[..., None],
        "noise_std": alpha * (100.0 / 255.0),
        "loss": loss,
    }
