"""Metrics of the training log."""

import keras
from keras import ops


class MeanPSNR(keras.metrics.Mean):
    """Mean over images of the 8-bit PSNR, (N, H, W, C) in [0, 1], for the training log."""

    def update_state(self, clean, restored):
        a, b = (ops.floor(ops.clip(x * 255.0 + 0.5, 0.0, 255.0)) for x in (clean, restored))
        mean_square = ops.mean(ops.square(a - b), axis=(1, 2, 3)) / 255.0**2
        # An equal pair would make the mean infinite for good: count it as 90 dB.
        return super().update_state(-10.0 * ops.log10(ops.maximum(mean_square, 1e-9)))
