"""The order in which TensorFlow computes the parts of a graph."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from common.types import Array


def after(x: Array, earlier: Sequence[Array]) -> Array:
    """x, computed after other tensors; TensorFlow may compute two at once, with memory for both."""
    if not earlier:
        return x
    with tf.control_dependencies(list(earlier)):
        return tf.identity(x)
