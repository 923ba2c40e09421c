"""common.optimizers.Muon: orthogonal steps for large kernels, Adam's for all else."""

import keras
import numpy as np
import pytest

from common.training import optimizers

RNG = np.random.default_rng(0)


def applied(optimizer, weights, gradients):
    """[weights] after steps with gradients [step][weight]."""
    variables = [keras.Variable(np.float32(weight)) for weight in weights]
    optimizer.build(variables)
    for of_step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(np.float32(g)) for g in of_step], variables)
    return [np.asarray(variable) for variable in variables]


def nearest_orthogonal(matrix):
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    return u @ vt, u, s, vt


@pytest.mark.parametrize("shape", [(16, 16), (432, 48), (20, 300)])
def test_singular_values_come_to_about_one_and_vectors_stay(shape):
    matrices = RNG.normal(size=(3, *shape)) * np.float32([1e-8, 1.0, 1e6])[:, None, None]
    found = np.asarray(optimizers.orthogonalized(keras.ops.convert_to_tensor(np.float32(matrices))))
    for matrix, result in zip(matrices, found):
        expected, u, s, vt = nearest_orthogonal(matrix)
        in_its_axes = u.T @ result @ vt.T
        values = np.diag(in_its_axes)
        assert (values[s > 0.05 * s[0]] > 0.6).all() and (values < 1.25).all()
        np.testing.assert_allclose(in_its_axes, np.diag(values), atol=2e-3)
        cosine = (result * expected).sum() / np.linalg.norm(result) / np.linalg.norm(expected)
        assert cosine > 0.95


def test_zeros_stay_zeros():
    zeros = keras.ops.zeros((1, 20, 30))
    np.testing.assert_array_equal(optimizers.orthogonalized(zeros), 0.0)


def test_steps_of_large_kernels_are_orthogonal_of_adams_size_and_others_adams():
    shapes = [(3, 3, 16, 24), (3, 3, 1, 24), (24,), (20, 16)]
    weights = [RNG.normal(size=shape) for shape in shapes]
    gradients = [[RNG.normal(size=shape) for shape in shapes] for _ in range(3)]
    found = applied(optimizers.Muon(0.1), weights, gradients)
    adams = applied(optimizers.Adam(0.1), weights, gradients)
    for i in (1, 2):
        np.testing.assert_array_equal(found[i], adams[i])
    for i in (0, 3):  # against NumPy: Nesterov's momentum of 0.95
        value = np.float64(weights[i])
        momentum = 0.0
        for of_step in gradients:
            momentum = 0.95 * momentum + 0.05 * of_step[i]
            ahead = 0.95 * momentum + 0.05 * of_step[i]
            matrix = np.float32(ahead).reshape(-1, shapes[i][-1])
            step = np.asarray(optimizers.orthogonalized(matrix[None]))[0]
            assert np.linalg.norm(step) == pytest.approx(min(matrix.shape) ** 0.5, rel=0.25)
            value -= 0.1 * 0.2 * max(matrix.shape) ** 0.5 * step.reshape(shapes[i])
        np.testing.assert_allclose(found[i], value, rtol=1e-4, atol=1e-5)


def test_kernels_of_one_shape_do_not_mix():
    weights = [np.zeros((16, 20)), np.zeros((16, 20))]
    gradients = [RNG.normal(size=(16, 20)) for _ in weights]
    together = applied(optimizers.Muon(0.1), weights, [gradients])
    for i in range(2):
        (alone,) = applied(optimizers.Muon(0.1), weights[:1], [[gradients[i]]])
        np.testing.assert_allclose(together[i], alone, rtol=1e-4, atol=1e-6)


def test_a_gradient_that_is_not_finite_changes_nothing():
    weights = [RNG.normal(size=(16, 20)), RNG.normal(size=20)]
    good = [RNG.normal(size=(16, 20)), RNG.normal(size=20)]
    optimizer = optimizers.Muon(0.1)
    found = applied(optimizer, weights, [[good[0], np.full(20, np.nan)]])
    for before, after in zip(weights, found):
        np.testing.assert_array_equal(after, np.float32(before))
    assert all(np.isfinite(np.asarray(v)).all() for v in optimizer.variables)
    # ... and after steps that were made, nor does the momentum go on.
    once, twice = (
        applied(optimizers.Muon(0.1), weights, [good, *bad])
        for bad in ([], [[np.full((16, 20), np.inf), good[1]]])
    )
    for expected, value in zip(once, twice):
        np.testing.assert_array_equal(value, expected)


def test_a_factor_scales_the_steps_and_0_leaves_weights_and_momentum():
    variables = [keras.Variable(np.zeros((16, 20), np.float32)) for _ in range(3)]
    optimizer = optimizers.Muon(0.1)
    optimizer.build(variables)
    optimizer.set_factor(3.0, [variables[1]])
    optimizer.set_factor(0.0, [variables[2]])
    gradient = keras.ops.convert_to_tensor(RNG.normal(size=(16, 20)).astype(np.float32))
    optimizer.apply([gradient] * 3, variables)
    one, three, none = (np.asarray(variable) for variable in variables)
    np.testing.assert_allclose(three, 3 * one, rtol=1e-4, atol=1e-6)
    assert np.abs(one).max() > 0 and not none.any()
