"""Slices whose spectra are sampled at random: for training, validation and evaluation."""

import functools

import numpy as np
import tensorflow as tf

from common import datasets, evaluation, images, noise_levels, pipeline
from n2n_tf.mri import spectrum

MAX_SHIFT = 64  # of the translations in training, pixels, or a quarter of the side


def odd_sides(image_set):
    """Drops the last row and column of images whose sides are even: 256 -> 255."""
    return image_set.each(
        lambda i: i[: i.shape[0] - 1 + i.shape[0] % 2, : i.shape[1] - 1 + i.shape[1] % 2]
    )


def training_images(config, data_dir, max_images):
    """The slices that a configuration trains on."""
    image_set = datasets.load(config.train_set, data_dir, max_images=max_images)
    return pipeline.usable_for_crops(odd_sides(image_set), config)


def training_batches(image_set, config, start):
    """Batches as of pipeline.training_batches, with the densities of spectrum.draw_density.

    x also has `density`, y `target_density`: 1 for a clean target.
    """
    size = config.crop_size
    probability = spectrum.keep_probability(size, size, noise_levels.trained(config.noise))
    shift = min(MAX_SHIFT, (size + 1) // 4)

    def draw(number):
        rng = np.random.Generator(np.random.Philox(key=[config.seed + 2**32, int(number)]))
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


def examples(image_set, config, *, noise, seed, repeats):
    """Yields (name, clean, inputs) as evaluation.noisy_images, inputs `noisy` and `density`."""
    image_set = odd_sides(image_set)
    for repeat in range(repeats):
        for i, (name, image) in enumerate(zip(image_set.names, image_set.images)):
            clean = images.to_unit(images.to_channels(image, 1), config.white_level)
            number = repeat * len(image_set) + i
            # Apart from the keys of the training, which count from 2^32.
            rng = np.random.Generator(np.random.Philox(key=[seed + 2**33, number]))
            probability = spectrum.keep_probability(*clean.shape[:2], noise_levels.trained(noise))
            density = spectrum.draw_density(probability, rng.random(clean.shape[:2], np.float32))
            noisy = spectrum.corrupt(clean[..., 0], density)
            yield name, clean, {"noisy": noisy[..., None], "density": density[..., None]}


def validation(config, data_dir):
    """Function that yields `examples` of the first few validation slices."""
    image_set = datasets.load(
        config.validation_set, data_dir, held_back=True, max_images=evaluation.VALIDATION_IMAGES
    )
    return functools.partial(
        examples, image_set, config, noise=config.validation_noise, seed=0, repeats=1
    )
