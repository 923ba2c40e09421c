"""How far a denoiser's pixels see, measured by gradients."""

import keras
import numpy as np
import tensorflow as tf

OUTER = 4  # lines on either side of a coarsest pixel


def measured_radius(denoiser, *, length, width=None, seed=0):
    """The distance from a pixel to the farthest that its result depends on, pixels.

    The gradient of a line of restored pixels across the picture, with respect to the picture, on
    noise; for the outer lines of a pixel of the coarsest resolution on either side: of all of
    its lines one of these sees farthest.

    Args:
        denoiser: `denoiser.Denoiser`, of any weights but such that are zero.
        length: side of the picture along which is measured, more than twice the result.
        width: the other sides [the least that the network takes].
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
