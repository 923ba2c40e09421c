"""Batch normalisation: in one fused operation where TensorFlow has one, and its statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from common.types import Array, Inputs


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation of (N, ..., C); in training on TensorFlow one operation.

    Keras computes it from single operations on float32 copies. The fused one has its moments in
    float32 and its values in the precision of the layer; a step of Noise2Void takes three quarters
    of the time (docs/performance.md). Names, weights and running statistics are those of Keras'
    layer. Masks are ignored in training.
    """

    def call(self, inputs: Array, training: bool | None = None, mask: Array | None = None) -> Array:
        """Normalise over all axes but the last, in training with the moments of the batch."""
        if not training or not self.trainable or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        channels = inputs.shape[-1]
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(inputs, (1, 1, -1, channels)),
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The operation divides by one less than the number of values, Keras by their number.
        count = tf.cast(tf.size(inputs) // channels, variance.dtype)
        biased = variance * (tf.maximum(count - 1.0, 1.0) / count)
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
        return tf.reshape(normalised, tf.shape(inputs))


def settle(denoiser: keras.Model, inputs: Iterable[Inputs]) -> None:
    """Gives all batch normalisations the statistics that the weights of this moment produce.

    The running averages of a training lag behind: they hold 99 % of what was before each step, at
    first zeros and ones. After 75 steps such a model restores garbage. Here they become mean and
    variance over all pixels of `inputs`, as the training computes them, each normalisation behind
    those before it.

    Args:
        denoiser: any; without batch normalisation nothing happens.
        inputs: batches of equal size, of which the denoiser can take each.
    """
    layers = [x for x in _layers(denoiser) if isinstance(x, keras.layers.BatchNormalization)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    means = [np.zeros(layer.moving_mean.shape) for layer in layers]
    squares = [np.zeros(layer.moving_mean.shape) for layer in layers]
    count = 0
    try:
        for layer in layers:
            layer.momentum = 0.0  # so that the running averages are those of the last batch
        for batch in inputs:
            denoiser(batch, training=True)
            count += 1
            for i, layer in enumerate(layers):
                mean, variance = (
                    np.asarray(keras.ops.convert_to_numpy(x), np.float64)
                    for x in (layer.moving_mean, layer.moving_variance)
                )
                means[i] = means[i] + mean
                squares[i] = squares[i] + variance + np.square(mean)
    finally:
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
    for layer, mean, square in zip(layers, means, squares):
        layer.moving_mean.assign(mean / count)
        layer.moving_variance.assign(square / count - np.square(mean / count))


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a model, and of the models within it."""
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else (layer,)
