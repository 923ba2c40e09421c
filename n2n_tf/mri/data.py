"""Slices whose spectra are sampled at random: for training, validation and evaluation."""

import numpy as np
import tensorflow as tf

from common.data import pipeline, streams
from common.data.streams import ArrayStream
from n2n_tf.mri import spectrum

MAX_SHIFT = 64  # largest translation in training, pixels; at most a quarter of the side


def odd_sides(image):
    """(H, W, C) without the last row and column of sides that are even: 256 -> 255."""
    return image[
        : image.shape[0] - 1 + image.shape[0] % 2, : image.shape[1] - 1 + image.shape[1] % 2
    ]


def training_batches(image_set, config, start):
    """Batches as of pipeline.training_batches, with the densities of spectrum.draw_density.

    x also has `density`, y `target_density`: 1 for a clean target.
    """
    size = config.crop_size
    probability = spectrum.keep_probability(size, size, config.noise.fixed_level())
    shift = min(MAX_SHIFT, (size + 1) // 4)

    def draw(number):
        rng = streams.generator(ArrayStream.MRI_SAMPLES, config.seed, number)
        clean = pipeline.draw_crop(image_set.images, config, number)[..., 0]
        clean = np.roll(clean, rng.integers(-shift, shift + 1, 2), axis=(0, 1))
        uniform = rng.random((2, size, size), np.float32)
        density, other = spectrum.draw_density(probability, uniform)
        noisy, target = spectrum.corrupt(clean, density), spectrum.corrupt(clean, other)
        if config.targets == "clean":
            target, other = clean, np.ones_like(other)
        return tuple(x[..., None] for x in (noisy, density, target, other, clean))

    def example(number):
        drawn = tf.numpy_function(draw, [number], [tf.float32] * 5, stateful=False)
        noisy, density, target, other, clean = (tf.ensure_shape(x, (size, size, 1)) for x in drawn)
        x = {"noisy": noisy, "density": density, "number": tf.cast(number, tf.float32)}
        return x, {"target": target, "target_density": other, "clean": clean}

    return pipeline.numbered(example, config, start)


def example_inputs(clean, noise, seed, number):
    """`noisy` and `density`, (H, W, 1) each, of a clean slice (H, W, 1), by fixed draws."""
    rng = streams.generator(ArrayStream.MRI_EVALUATION, seed, number)
    probability = spectrum.keep_probability(*clean.shape[:2], noise.fixed_level())
    density = spectrum.draw_density(probability, rng.random(clean.shape[:2], np.float32))
    noisy = spectrum.corrupt(clean[..., 0], density)
    return {"noisy": noisy[..., None], "density": density[..., None]}
