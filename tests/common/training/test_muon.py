"""common.training.optimizers.Muon: orthogonal steps for large kernels, Adam's for all else."""

import keras
import numpy as np
import pytest

from common.training import loop, optimizers, runs
from n2n_tf import configs
from n2n_tf.method import METHOD

RNG = np.random.default_rng(0)


def tensor(values):
    return keras.ops.convert_to_tensor(np.float32(values))


def applied(optimizer, weights, gradients):
    """[weights] after steps with gradients [step][weight]; None is a gradient that is missing."""
    variables = [keras.Variable(np.float32(weight)) for weight in weights]
    optimizer.build(variables)
    for of_step in gradients:
        optimizer.apply([None if g is None else tensor(g) for g in of_step], variables)
    return [np.asarray(variable) for variable in variables]


def iterated(matrix):
    """Five Newton-Schulz iterations as Jordan et al. 2024 write them, in float64."""
    x = np.float64(matrix).T if matrix.shape[0] > matrix.shape[1] else np.float64(matrix)
    x = x / np.linalg.norm(x)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def with_values(shape, values):
    """A matrix of some singular values."""
    u, _, vt = np.linalg.svd(RNG.normal(size=shape), full_matrices=False)
    return u * values @ vt


@pytest.mark.parametrize("shape", [(16, 16), (432, 48), (20, 300)])
@pytest.mark.parametrize("lowest", [1.0, 1e-2, 1e-6, 0.0])
def test_it_is_newton_schulz_whatever_the_singular_values(shape, lowest):
    rank = min(shape)
    values = np.geomspace(1, lowest, rank) if lowest else np.eye(rank)[0]  # or of rank 1
    matrices = [with_values(shape, values) * scale for scale in (1e-5, 1.0, 1e6)]
    found = np.asarray(optimizers.orthogonalized(tensor(matrices)))
    for matrix, result in zip(matrices, found):
        np.testing.assert_allclose(result, iterated(matrix), atol=2e-3)
    if lowest == 1.0:
        singular = np.linalg.svd(found[1], compute_uv=False)
        assert singular.min() > 0.65 and singular.max() < 1.25


def test_small_matrices_do_not_explode_and_zeros_stay_zeros():
    matrix = RNG.normal(size=(432, 48))
    for exponent in range(6, 46, 3):
        found = np.asarray(optimizers.orthogonalized(tensor([matrix * 10.0**-exponent])))
        assert np.linalg.norm(found, 2, axis=(1, 2)) < 1.25
    np.testing.assert_array_equal(optimizers.orthogonalized(keras.ops.zeros((1, 20, 30))), 0.0)


def test_steps_of_matrices_are_those_of_keras_own_muon():
    weights = [RNG.normal(size=(20, 48)), RNG.normal(size=(64, 20))]
    gradients = [[RNG.normal(size=weight.shape) for weight in weights] for _ in range(3)]
    theirs = keras.optimizers.Muon(0.1, weight_decay=0.0)
    ours, theirs = (applied(kind, weights, gradients) for kind in (optimizers.Muon(0.1), theirs))
    for ours_, theirs_ in zip(ours, theirs):
        np.testing.assert_allclose(ours_, theirs_, atol=1e-4)


def test_kernels_of_convolutions_are_matrices_and_all_else_is_adams():
    shapes = [(3, 3, 16, 24), (1, 1, 144, 24), (3, 3, 1, 24), (3, 3, 24, 3), (24,), ()]
    weights = [RNG.normal(size=shape) for shape in shapes]
    gradients = [[RNG.normal(size=shape) for shape in shapes] for _ in range(3)]
    found = applied(optimizers.Muon(0.1), weights, gradients)
    adams = applied(optimizers.Adam(0.1), weights, gradients)
    for i in range(2, 6):
        np.testing.assert_array_equal(found[i], adams[i])
    for i in range(2):  # two shapes, whose matrices have the same sides
        flat = [of_step[i].reshape(144, 24) for of_step in gradients]
        (alone,) = applied(optimizers.Muon(0.1), [weights[i].reshape(144, 24)], [[g] for g in flat])
        np.testing.assert_allclose(found[i].reshape(144, 24), alone, atol=1e-5)
        assert np.abs(found[i] - adams[i]).max() > 0.01


def test_a_gradient_that_is_not_finite_changes_nothing_but_the_step():
    weights = [RNG.normal(size=(16, 20)), RNG.normal(size=20)]
    good = [[RNG.normal(size=(16, 20)), RNG.normal(size=20)] for _ in range(2)]
    for bad in (np.nan, np.inf):
        for broken in ([np.full((16, 20), bad), good[0][1]], [good[0][0], np.full(20, bad)]):
            optimizer, untouched = optimizers.Muon(0.1), optimizers.Muon(0.1)
            found = applied(optimizer, weights, [good[0], broken])
            expected = applied(untouched, weights, [good[0]])
            for value, wanted in zip(found, expected):
                np.testing.assert_array_equal(value, wanted)
            for value, wanted in zip(optimizer.variables[2:], untouched.variables[2:]):
                np.testing.assert_array_equal(value, wanted)
            assert int(optimizer.iterations) == 2


def test_factors_and_variables_without_a_gradient_in_a_graph():
    model = keras.Sequential([keras.Input((20,)), *(keras.layers.Dense(20) for _ in range(3))])
    unused = keras.Variable(np.ones((16, 16), np.float32))
    kernels = [layer.kernel for layer in model.layers]
    optimizer = optimizers.Muon(0.1)
    optimizer.build([*model.trainable_variables, unused])
    optimizer.set_factor(3.0, [kernels[1]])
    optimizer.set_factor(0.0, [kernels[2]])
    model.compile(optimizer, "mse", jit_compile=False)
    before = [np.array(kernel) for kernel in kernels]
    state = {v.path: np.array(v) for v in optimizer.variables if "dense_2/kernel" in v.path}
    model.train_on_batch(RNG.normal(size=(40, 20)), RNG.normal(size=(40, 20)))
    lengths = [np.linalg.norm(np.asarray(k) - b) for k, b in zip(kernels, before)]
    # An orthogonal 20x20 matrix times 0.1 (the rate), 0.2 and the root of 20; 0.7 to 1.2 of that.
    assert 0.7 * 0.4 < lengths[0] < 1.2 * 0.4 and 3 * 0.7 * 0.4 < lengths[1] < 3 * 1.2 * 0.4
    assert lengths[2] == 0
    np.testing.assert_array_equal(unused, 1.0)
    for variable in optimizer.variables:
        if variable.path in state:
            np.testing.assert_array_equal(variable, state[variable.path])


def test_the_fast_schedule_has_it_by_default_and_adam_on_demand(tmp_path):
    settings = {"num_images": 8, "crop_size": 32, "schedule": "fast"}
    for asked, kind in ((None, optimizers.Muon), ("adam", optimizers.Adam)):
        config = configs.Config(optimizer=asked, **settings).completed()
        assert type(METHOD.optimizer(config)) is kind
    paper = configs.Config(num_images=8, crop_size=32, schedule="paper").completed()
    assert type(METHOD.optimizer(paper)) is optimizers.Adam
    with pytest.raises(ValueError, match="optimizer='muon': it is for schedule='fast'"):
        configs.Config(schedule="paper", optimizer="muon")
    # A checkpoint of either loads into the other, whose momenta go on.
    kinds = [configs.Config(optimizer=name, **settings).completed() for name in ("adam", "muon")]
    models = [METHOD.build(config) for config in kinds]
    for model, config in zip(models, kinds):
        loop.compile_for_training(model, METHOD.optimizer(config))
    runs.save_config(tmp_path, "n2n_tf", kinds[0])
    runs.save_state(tmp_path, models[0], 3)
    assert runs.load_state(tmp_path, models[1]) == 3
