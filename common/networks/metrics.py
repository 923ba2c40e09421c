"""Metrics of the training log."""

from __future__ import annotations

import keras
from keras import ops

from common.types import Array


class MeanPSNR(keras.metrics.Mean):
    """Mean PSNR of images, dB, after rounding them to 8 bits."""

    def update_state(self, clean: Array, restored: Array, inside: Array | None = None) -> None:
        """Count a batch of images, (N, H, W, C) in [0, 1]; values beyond are clipped.

        inside: (N, H, W, 1), 0 for pixels that do not count [all do].
        """
        a, b = (ops.floor(ops.clip(x * 255.0 + 0.5, 0.0, 255.0)) for x in (clean, restored))
        if inside is not None:
            a, b = a * inside, b * inside
        mean_square = ops.mean(ops.square(a - b), axis=(1, 2, 3)) / 255.0**2
        if inside is not None:
            mean_square = mean_square / ops.mean(inside, axis=(1, 2, 3))
        # Two equal images would make the mean infinite for good, so they count as 90 dB.
        super().update_state(-10.0 * ops.log10(ops.maximum(mean_square, 1e-9)))
