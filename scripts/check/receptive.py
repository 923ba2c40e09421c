"""Measures by gradients how far a denoiser's pixels see."""

import keras
import numpy as np
import tensorflow as tf

OUTER = 4  # number of outer lines of a coarsest pixel, on either side, that are measured


def measured_radius(denoiser, *, length, width=None, seed=0):
    """Distance from a restored pixel to the farthest input pixel that it depends on, pixels.

    The input is noise. For one line of restored pixels across the image, the gradient with respect
    to the image shows the input pixels that matter. A line sees farthest if it lies at the edge of
    a pixel of the network's coarsest resolution, so only such lines are measured.

    Args:
        denoiser: a Denoiser with weights that are not zero.
        length: side of the image along which is measured, pixels; more than twice the result.
        width: the other sides, pixels [the smallest that the network takes].
        seed: of the noise.

    Raises:
        ValueError: `length` is too short, or Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError("Measuring gradients needs KERAS_BACKEND=tensorflow.")
    multiple = denoiser.config.side_multiple
    sides = [width or multiple] * (denoiser.spatial - 1) + [length // multiple * multiple]
    rng = np.random.default_rng(seed)
    shape = (1, *sides, denoiser.config.channels)
    noisy = tf.constant(0.5 + 0.1 * rng.standard_normal(shape), tf.float32)
    weights = tf.constant(rng.standard_normal(shape[:-2] + shape[-1:]), tf.float32)
    middle = sides[-1] // 2 // multiple * multiple
    radius = 0
    offsets = {*range(OUTER), *range(multiple - OUTER, multiple)} & set(range(multiple))
    for column in (middle + offset for offset in sorted(offsets)):
        with tf.GradientTape() as tape:
            tape.watch(noisy)
            denoised = denoiser({"noisy": noisy}, training=False)["denoised"]
            seen = tf.reduce_sum(weights * denoised[..., column, :])
        gradient = np.abs(tape.gradient(seen, noisy)).max(axis=-1)
        columns = np.flatnonzero(gradient.reshape(-1, sides[-1]).max(axis=0))
        if columns[0] == 0 or columns[-1] == sides[-1] - 1:
            raise ValueError(f"length={length}: too short for what this denoiser sees.")
        radius = max(radius, column - columns[0], columns[-1] - column)
    return int(radius)
