"""Rows of the table of `crosscheck`, and gradients to compare."""

import dataclasses

import keras
import numpy as np
from keras import ops


@dataclasses.dataclass(frozen=True)
class Row:
    """One compared quantity: its largest absolute difference, the tolerance, the verdict."""

    quantity: str
    difference: float
    tolerance: str
    ok: bool


def close(quantity, ours, theirs, *, rtol=0.0, atol=0.0):
    """Compares two arrays: a Row, ok if |ours - theirs| <= atol + rtol * |theirs| everywhere."""
    ours, theirs = (np.asarray(x, np.float64) for x in (ours, theirs))
    if ours.shape != theirs.shape:
        return Row(f"{quantity}: shape {ours.shape}, not {theirs.shape}", np.inf, "", False)
    difference = np.abs(ours - theirs)
    ok = bool((difference <= atol + rtol * np.abs(theirs)).all())  # False for NaN
    terms = [f"{atol:g}"] * (atol > 0) + [f"{rtol:g} rel"] * (rtol > 0)
    return Row(quantity, float(difference.max()), " + ".join(terms) or "exact", ok)


def close_but_for_kinks(quantity, ours, theirs, *, norm, **tolerance):
    """`close`, or else the norm of the difference is at most `norm` times that of theirs.

    For gradients summed over an image: a leaky ReLU or a pooling has a kink, where rounding decides
    between two gradients, and processors round differently.
    """
    row = close(quantity, ours, theirs, **tolerance)
    if row.ok or np.shape(ours) != np.shape(theirs):
        return row
    difference = np.linalg.norm(np.asarray(ours, np.float64) - theirs)
    ok = bool(difference <= norm * np.linalg.norm(np.asarray(theirs, np.float64)))
    return dataclasses.replace(row, tolerance=f"{row.tolerance}, or norm {norm:g}", ok=ok)


def gradients(function, *values):
    """Gradients of a scalar function with respect to each value, on TensorFlow or JAX."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function, argnums=tuple(range(len(values))))(*values)
    import tensorflow as tf

    values = [tf.convert_to_tensor(value) for value in values]
    with tf.GradientTape() as tape:
        for value in values:
            tape.watch(value)
        result = function(*values)
    return tape.gradient(result, values, unconnected_gradients="zero")


def weight_gradient(net, variable, image, cotangent):
    """Gradient of sum(output * cotangent) with respect to one weight, by a stateless call."""
    trainable = [v.value for v in net.trainable_variables]
    index = [v is variable for v in net.trainable_variables].index(True)

    def objective(weight):
        weights = trainable[:index] + [weight] + trainable[index + 1 :]
        output, _ = net.stateless_call(weights, [], image)
        return ops.sum(output * cotangent)

    (gradient,) = gradients(objective, ops.convert_to_tensor(variable.value))
    return gradient
