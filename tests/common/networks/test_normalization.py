"""common.networks.normalization: the fused layer is Keras' own, in training and after it."""

import keras
import numpy as np
import pytest

from common.networks import normalization

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("sides", [(8, 6), (4, 6, 3)])
def test_it_is_keras_batch_normalisation(sides):
    images = RNG.normal(3.0, 2.0, (3, *sides, 2)).astype(np.float32)
    target = RNG.standard_normal((3, *sides, 5)).astype(np.float32)
    results, weights = [], None
    for kind in (keras.layers, normalization):
        # The layer before it shows the gradient by the input.
        image = keras.Input((*sides, 2))
        hidden = keras.layers.Dense(5, use_bias=False)(image)
        model = keras.Model(image, kind.BatchNormalization(momentum=0.9)(hidden))
        weights = weights or [RNG.random(w.shape, np.float32) + 0.5 for w in model.weights]
        model.set_weights(weights)
        model.compile(keras.optimizers.SGD(1.0), loss="mse")
        results.append([model(images, training=True), model(images)])
        model.set_weights(weights)
        model.train_on_batch(images, target)
        # What one step of SGD changes is the gradient; and the running statistics.
        results[-1] += [after - before for after, before in zip(model.get_weights(), weights)]
    for one, other in zip(*results, strict=True):
        assert np.abs(one).max() > 1e-3
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_settled_statistics_are_those_of_all_pixels_that_were_shown():
    """Behind two normalisations, and for weights that no training average has followed."""
    batches = RNG.normal(3.0, 2.0, (4, 5, 8, 8, 2)).astype(np.float32)
    image = keras.Input((8, 8, 2))
    first = normalization.BatchNormalization()
    second = keras.layers.BatchNormalization()
    weights = keras.initializers.GlorotUniform(seed=0)  # some make values as small as epsilon
    hidden = keras.layers.Dense(3, kernel_initializer=weights)(first(image))
    model = keras.Model(image, second(hidden))
    normalization.settle(model, batches)
    assert first.momentum == second.momentum == 0.99
    np.testing.assert_allclose(first.moving_mean, batches.mean((0, 1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(first.moving_variance, batches.var((0, 1, 2, 3)), rtol=1e-4)
    restored = np.concatenate([model(batch) for batch in batches])
    np.testing.assert_allclose(restored.mean((0, 1, 2)), 0.0, atol=0.02)
    np.testing.assert_allclose(restored.std((0, 1, 2)), 1.0, atol=0.02)
