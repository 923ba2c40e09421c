"""Likelihoods of noisy pixels and Bayes' rule for clean ones (Wu et al. 2020, sections 3.2, 3.3).

The blind-spot network predicts mu, the clean value x with an error of covariance Sigma_mu; the
noise y - x has covariance Sigma_n. The error comes from the surroundings and the noise from the
pixel itself, so they are independent: y - mu ~ N(0, Sigma_mu + Sigma_n).

A covariance of grey images is the variance (N, H, W, 1). One of colour images is a symmetric
matrix in six entries (00, 01, 02, 11, 12, 22), each (N, H, W) or broadcastable to it, see
`triangular`. The golden files tests/golden/dbsn_gray.npz and dbsn_color.npz, of the original, prove
the formulas.
"""

from keras import ops

from common.networks import triangular

EPSILON = 1e-6  # the original adds it to diagonals so that its inverses exist
LEAST_VARIANCE = 1e-6  # of the noise of grey images, in the constrained likelihood
LEAST_DETERMINANT = 1e-6  # in the original's losses of colour images


def mean_variance(output, *, channels):
    """The covariance of mu from what its network gives, (N, H, W, K).

    K is 1 for grey images. For colour images 1 or 3 values are the deviations of the channels, and
    6 the root U of a covariance U U^T that is the same all over an image: its average.
    """
    return ops.square(output) if channels == 1 else _of_root(output)


def noise_variance(output, *, channels, per_image, multivariate=False):
    """The covariance of the noise from what its network gives, (N, H, W, K).

    Deviations are softplus(output - 4) + 1e-3, so that they are positive.

    Args:
        output: K as in `mean_variance`.
        channels: of the images, 1 or 3.
        per_image: whether the noise has one strength all over an image: the output is averaged.
        multivariate: whether the output is the root of a covariance (K = 6).
    """
    if multivariate:
        return _of_root(output)
    if per_image:
        output = ops.mean(output, axis=(1, 2), keepdims=True)
    deviation = ops.softplus(output - 4.0) + 1e-3
    return ops.square(deviation) if channels == 1 else _of_root(deviation)


def marginal(noisy, mu, var_mu, var_n, *, least_determinant=0.0):
    """The negative logarithm of p(y), without constants, per pixel: (N, H, W).

    Grey: (y - mu)^2 / var_y + log var_y; colour: half of d^T Sigma_y^-1 d + log det Sigma_y; with
    Sigma_y = Sigma_mu + Sigma_n. It is what the authors' programs minimise.

    Args:
        noisy, mu: (N, H, W, C) on [0, 1].
        var_mu, var_n: covariances.
        least_determinant: lower bound of det Sigma_y within the logarithm, for colour. The original
            has LEAST_DETERMINANT, except in the marginal likelihood of the variances alone. That is
            the determinant of white noise of sigma 25.5: the strength of weaker noise could not be
            told, so the trainings here have none.
    """
    if noisy.shape[-1] == 1:
        var_y = var_mu + var_n
        return (ops.square(noisy - mu) / var_y + ops.log(var_y))[..., 0]
    root = triangular.cholesky(*_sum(var_mu, var_n))
    log_determinant = _log_determinant(root, least_determinant)
    return 0.5 * (_quadratic(root, noisy - mu) + log_determinant)


def constrained(noisy, mu, var_mu, var_n, *, least_determinant=0.0):
    """The paper's constrained likelihood, per pixel: (N, H, W).

    In place of log det(Sigma_mu + Sigma_n) it has the first terms of a series in Sigma_mu:
    log det Sigma_n + tr(Sigma_n^-1 Sigma_mu) (section 3.3, "Self-Supervised Loss"). So the noise
    explains all that the error of the mean need not; under the marginal likelihood either may, and
    in short trainings the error of the mean explains all (RESULTS.md).

    Args: see `marginal`; least_determinant is one of det Sigma_n here.
    """
    if noisy.shape[-1] == 1:
        quadratic = ops.square(noisy - mu) / (var_mu + var_n)
        var_n = ops.maximum(var_n, LEAST_VARIANCE)
        return (quadratic + ops.log(var_n) + var_mu / var_n)[..., 0]
    quadratic = _quadratic(triangular.cholesky(*_sum(var_mu, var_n)), noisy - mu)
    log_determinant = _log_determinant(triangular.cholesky(*var_n), least_determinant)
    root = triangular.cholesky(*_sum(var_n, _identity(EPSILON)))
    solved = [triangular.solve(root, column) for column in triangular.columns(var_mu)]
    trace = solved[0][0] + solved[1][1] + solved[2][2]
    return 0.5 * (quadratic + log_determinant + trace)


def restore(noisy, mu, var_mu, var_n):
    """E[x | y] and its standard deviation, each (N, H, W, C).

    Grey: (y var_mu + mu var_n) / (var_mu + var_n). Colour:
    (Sigma_mu^-1 + Sigma_n^-1)^-1 (Sigma_mu^-1 mu + Sigma_n^-1 y), computed as
    mu + Sigma_mu (Sigma_mu + Sigma_n)^-1 (y - mu), with the original's 1e-6 on both diagonals.

    Args: see `marginal`.

    Returns:
        (denoised, std).
    """
    if noisy.shape[-1] == 1:
        var_y = var_mu + var_n
        denoised = (noisy * var_mu + mu * var_n) / var_y
        return denoised, ops.sqrt(var_mu * var_n / var_y)
    var_mu, var_n = (_sum(covariance, _identity(EPSILON)) for covariance in (var_mu, var_n))
    root = triangular.cholesky(*_sum(var_mu, var_n))
    z = triangular.solve(root, ops.unstack(noisy - mu, axis=-1))
    columns = triangular.columns(var_mu)
    moved = [sum(c * z_i for c, z_i in zip(column, z, strict=True)) for column in columns]
    # The posterior's covariance is Sigma_mu - Sigma_mu (Sigma_mu + Sigma_n)^-1 Sigma_mu.
    explained = [triangular.norm(triangular.solve_upper(root, column)) for column in columns]
    variances = [column[i] - explained[i] for i, column in enumerate(columns)]
    std = ops.sqrt(ops.maximum(ops.stack(variances, axis=-1), 0.0))
    return mu + ops.stack(moved, axis=-1), std + ops.zeros_like(mu)


def deviation(variance):
    """Standard deviations (N, H or 1, W or 1, C) of a covariance."""
    if isinstance(variance, tuple):
        variance = ops.stack([variance[0], variance[3], variance[5]], axis=-1)
    return ops.sqrt(variance)


def _of_root(output):
    """The covariance of 1, 3 or 6 components of its root; of 6 it is averaged over the image."""
    if output.shape[-1] == 6:
        return _average(triangular.product(ops.unstack(output, axis=-1)))
    variances = ops.square(output)
    return _diagonal([variances[..., min(i, output.shape[-1] - 1)] for i in range(3)])


def _average(entries):
    """Entries averaged over each image: (N, 1, 1)."""
    return tuple(ops.mean(entry, axis=(1, 2), keepdims=True) for entry in entries)


def _diagonal(variances):
    zero = ops.zeros_like(variances[0])
    return variances[0], zero, zero, variances[1], zero, variances[2]


def _identity(factor):
    return factor, 0.0, 0.0, factor, 0.0, factor


def _sum(a, b):
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _log_determinant(root, least):
    """log max(det(R R^T), least)."""
    logarithm = triangular.log_determinant(root)
    return ops.log(ops.maximum(ops.exp(logarithm), least)) if least else logarithm


def _quadratic(root, difference):
    """d^T (R R^T)^-1 d of a difference (N, H, W, 3)."""
    return triangular.norm(triangular.solve_upper(root, ops.unstack(difference, axis=-1)))
