"""Batch normalisation in one fused operation, where TensorFlow has one."""

from __future__ import annotations

import keras

from common.types import Array


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
