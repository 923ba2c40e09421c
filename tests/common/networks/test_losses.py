"""common.losses against NumPy, and the lost pixels that must not count."""

import numpy as np

from common.networks import losses

RNG = np.random.default_rng(0)
A, B = RNG.random((2, 2, 5, 6, 3)).astype(np.float32)


def test_losses_are_the_means_that_numpy_computes():
    np.testing.assert_allclose(losses.mean_square(A, B), np.mean((A - B) ** 2), rtol=1e-5)
    np.testing.assert_allclose(losses.mean_absolute(A, B), np.mean(np.abs(A - B)), rtol=1e-5)
    expected = np.mean((np.abs(A - B) + 1e-8) ** 0.7)
    np.testing.assert_allclose(losses.mean_power(A, B, 0.7), expected, rtol=1e-5)


def test_what_was_lost_does_not_count():
    kept = (RNG.random((2, 5, 6, 1)) < 0.5).astype(np.float32)
    where = np.broadcast_to(kept > 0, A.shape)
    loss = losses.mean_square_where(A, B, kept)
    np.testing.assert_allclose(loss, np.mean((A - B)[where] ** 2), rtol=1e-5)
    other = np.where(where, B, 99.0).astype(np.float32)
    np.testing.assert_allclose(losses.mean_square_where(A, other, kept), loss, rtol=1e-6)
    assert float(losses.mean_square_where(A, B, 0 * kept)) == 0.0
