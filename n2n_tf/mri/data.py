"""Slices with randomly sampled spectra, for training, validation and evaluation."""

import numpy as np
import tensorflow as tf

from common.data import pipeline, streams
from common.data.streams import ArrayStream
from n2n_tf.mri import spectrum

MAX_SHIFT = 64  # largest translation in training, pixels; at most a quarter of the side


def odd_sides(image):
    """Cuts the last row or column off an image (H, W, C) where a side is even: 256 -> 255."""
    return image[
        : image.shape[0] - 1 + image.shape[0] % 2, : image.shape[1] - 1 + image.shape[1] % 2
    ]


def training_batches(image_set, config, start):
    """Batches (x, y) of slices with sampled spectra, see pipeline.training_batches.

    x also has `density` (N, H, W, 1), and y has `target_density`, both of spectrum.draw_density;
    the density of a clean target is 1 everywhere.
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
    """Samples the spectrum of a clean slice by fixed random draws.

    Args:
        clean: (H, W, 1) float in [0, 1], H and W odd.
        noise: `sampling.Spectrum`.
        seed, number: ints that determine the draws.

    Returns:
        dict of `noisy` and `density`, (H, W, 1) each.
    """
    rng = streams.generator(ArrayStream.MRI_EVALUATION, seed, number)
    probability = spectrum.keep_probability(*clean.shape[:2], noise.fixed_level())
    density = spectrum.draw_density(probability, rng.random(clean.shape[:2], np.float32))
    noisy = spectrum.corrupt(clean[..., 0], density)
    return {"noisy": noisy[..., None], "density": density[..., None]}
