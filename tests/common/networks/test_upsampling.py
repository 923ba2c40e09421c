"""common.networks.upsampling against the same written out: repeat, concatenate, convolve."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.networks import upsampling

RNG = np.random.default_rng(0)
UPWARDS = ((2, 0), (1, 1))  # padding of a convolution that sees its own row and those above

CASES = {
    "centred": {"kernel_size": 3},
    "upwards": {"kernel_size": 3, "pads": UPWARDS},
    "downwards": {"kernel_size": 3, "pads": ((0, 2), (1, 1))},
    "to the left": {"kernel_size": 3, "pads": ((1, 1), (2, 0))},
    "five": {"kernel_size": 5},
    "five, aside": {"kernel_size": 5, "pads": ((1, 3), (4, 0))},
    "one": {"kernel_size": 1},
    "no skip": {"kernel_size": 3, "skips": 0},
    "volume": {"kernel_size": 3, "sides": (2, 3, 5)},
}


def both(*, kernel_size, pads=None, skips=2, sides=(3, 5)):
    """(fast model, the same written out, its inputs), with equal random weights."""
    shapes = [(*sides, 4)] + ([(*(2 * n for n in sides), skips)] if skips else [])
    inputs = [keras.Input((*[None] * len(sides), shape[-1])) for shape in shapes]

    def build():
        layer = upsampling.convolution(len(sides), 3, kernel_size, pads=pads, name="join")
        return keras.Model(inputs, layer(*inputs))

    fast = build()
    with upsampling.portable():
        plain = build()
    fast.set_weights([RNG.standard_normal(w.shape).astype("float32") for w in fast.weights])
    plain.set_weights(fast.get_weights())
    return fast, plain, [RNG.standard_normal((2, *shape)).astype("float32") for shape in shapes]


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_convolution_of_the_upsampled_image(case):
    fast, plain, inputs = both(**CASES[case])
    np.testing.assert_allclose(fast(inputs), plain(inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_in_phases_it_is_the_same_and_images_need_no_transposed_convolution(case):
    fast, plain, inputs = both(**CASES[case])
    with upsampling.in_phases():
        traced = tf.function(lambda *x: fast(x)).get_concrete_function(*inputs)
    kinds = {operation.type for operation in traced.graph.get_operations()}
    transposed = {"Conv2DBackpropInput", "Conv3DBackpropInputV2"} & kinds
    assert bool(transposed) == (case == "volume") == ("DepthToSpace" not in kinds)
    result = traced(*map(tf.constant, inputs))
    np.testing.assert_allclose(result, plain(inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", ["centred", "upwards", "volume"])
def test_kernel_and_bias_have_the_same_gradients(case):
    fast, plain, inputs = both(**CASES[case])
    target = np.ones(fast(inputs).shape, "float32")
    changes = []
    for model in (fast, plain):  # one step of SGD; its change of the weights is the gradient
        before = model.get_weights()
        model.compile(keras.optimizers.SGD(1.0), loss="mse")
        model.train_on_batch(inputs, target)
        changes.append([b - a for b, a in zip(before, model.get_weights())])
    for one, other in zip(*changes):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


@pytest.mark.parametrize("written, read", [(0, 1), (1, 0)])
def test_each_kind_reads_the_weights_that_the_other_wrote(tmp_path, written, read):
    """Keras names weights in files after the class of the layer."""
    models = both(kernel_size=3)[:2]
    models[written].save_weights(tmp_path / "a.weights.h5")
    expected = models[written].get_weights()
    models[read].set_weights([np.zeros_like(w) for w in expected])
    models[read].load_weights(tmp_path / "a.weights.h5")
    for one, other in zip(models[read].get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel_size=4: expected an odd number"):
        upsampling.convolution(2, 3, 4)


def test_the_portable_kind_loads_without_the_project(tmp_path):
    fast, plain, inputs = both(kernel_size=3, pads=UPWARDS)
    plain.save(tmp_path / "plain.keras")
    loaded = keras.models.load_model(tmp_path / "plain.keras", custom_objects={})
    np.testing.assert_allclose(loaded(inputs), fast(inputs), rtol=1e-5, atol=1e-5)
    assert {type(layer).__module__.split(".")[0] for layer in plain.layers} == {"keras"}
