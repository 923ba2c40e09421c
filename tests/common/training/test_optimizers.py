"""common.optimizers: Keras' Adam, but for updates that are not finite."""

import keras
import numpy as np
import pytest

from common.training import optimizers


def updated(optimizer, gradients):
    variable = keras.Variable(np.array([1.0, -2.0], np.float32))
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient, np.float32))], [variable])
    return np.asarray(variable)


def test_it_is_keras_adam_with_the_papers_numbers():
    gradients = [[0.3, -1.0], [1e-3, 2.0], [0.0, 0.5]]
    theirs = keras.optimizers.Adam(1e-2, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
    np.testing.assert_allclose(
        updated(optimizers.Adam(1e-2), gradients), updated(theirs, gradients), rtol=1e-6
    )


def test_a_gradient_that_is_not_finite_changes_nothing():
    for bad in (np.nan, np.inf, -np.inf):
        optimizer = optimizers.Adam(1e-2)
        value = updated(optimizer, [[0.3, bad]])
        np.testing.assert_array_equal(value, [1.0, -2.0])
        moments = [np.asarray(v) for v in optimizer.variables[2:]]
        assert all((moment == 0).all() for moment in moments)
        assert int(optimizer.iterations) == 1


def test_beta_1_may_follow_the_steps():
    """Against NumPy: the moment decays at the pace of the step it is in."""
    betas = [0.9, 0.5, 0.7]
    optimizer = optimizers.Adam(
        0.1, beta_1=lambda step: keras.ops.take(np.float32(betas), keras.ops.cast(step, "int32"))
    )
    variable = keras.Variable(np.float32([1.0, -2.0]))
    optimizer.build([variable])
    value, first, second = np.float64([1.0, -2.0]), 0.0, 0.0
    for step, beta in enumerate(betas):
        gradient = np.float64([0.3 * (step + 1), -1.0 + step])
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")])
        first = beta * first + (1 - beta) * gradient
        second = 0.99 * second + 0.01 * gradient**2
        rate = 0.1 * (1 - 0.99 ** (step + 1)) ** 0.5 / (1 - beta ** (step + 1))
        value = value - rate * first / (second**0.5 + 1e-8)
        np.testing.assert_allclose(variable, value, rtol=1e-5)


def test_the_average_soon_forgets_the_initial_weights_and_leaves_the_training_alone():
    """Against NumPy: after step t, average * d + weight * (1 - d), d = min(0.2, t / (t + 9))."""
    gradients = [[0.3, -1.0], [1e-3, 2.0], [0.0, 0.5], [-1.0, 0.1]]
    without, with_average = optimizers.Adam(0.1), optimizers.Adam(0.1, average=0.2)
    expected = np.array([1.0, -2.0])
    for t in range(1, len(gradients) + 1):
        weights = updated(optimizers.Adam(0.1), gradients[:t])
        kept = min(0.2, t / (t + 9))
        expected = expected * kept + weights * (1 - kept)
    np.testing.assert_array_equal(
        updated(with_average, gradients), updated(without, gradients), strict=True
    )
    np.testing.assert_allclose(with_average.averages[0], expected, rtol=1e-6)


def test_a_factor_scales_the_steps_and_0_leaves_weights_and_moments():
    optimizer = optimizers.Adam(0.1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse", jit_compile=False)  # in a graph, as trainings are
    first, second = (layer.kernel for layer in model.layers)
    optimizer.set_factor(0.0, [first])
    optimizer.set_factor(3.0, [second])
    before = np.array(first), np.array(second)
    model.train_on_batch(np.ones((4, 2)), np.full((4, 1), 100.0))
    np.testing.assert_array_equal(first, before[0])
    # The first step of Adam has the length of the rate, whatever the gradient.
    np.testing.assert_allclose(np.abs(second - before[1]), 0.3, rtol=1e-4)
    np.testing.assert_allclose(np.abs(model.layers[0].bias), 0.1, rtol=1e-4)
    assert any(not np.any(v) and v.shape == first.shape for v in optimizer.variables)


def test_a_denoiser_has_the_averages_for_a_while():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizers.Adam(0.1, average=0.5), loss="mse")
    model.optimizer.build(model.trainable_variables)
    for _ in range(3):
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    trained = [np.array(v) for v in model.trainable_variables]
    averages = [np.array(v) for v in model.optimizer.averages]
    with pytest.raises(KeyError), optimizers.averaged(model):
        for variable, average in zip(model.trainable_variables, averages):
            np.testing.assert_array_equal(variable, average)
        raise KeyError  # the weights come back all the same
    for variable, before, average in zip(model.trainable_variables, trained, averages):
        np.testing.assert_array_equal(variable, before)
        assert (before != average).all()
