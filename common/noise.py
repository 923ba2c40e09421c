"""Noise as TensorFlow operations that draw from (seed, image number) alone; see noise_levels."""

import hashlib
import os

import numpy as np
import tensorflow as tf

from common import text as text_overlay


def draw_level(noise, seed):
    """The noise parameter of one image, scalar float32: sigma on [0, 1], lambda, or a share."""
    low, high = noise.level(noise.low), noise.level(noise.high)
    if noise.is_fixed:
        return tf.constant(low, tf.float32)
    return tf.random.stateless_uniform((), seed, low, high)


def check(noise):
    """Raises text.FontError for text where there are no fonts, before anything is started."""
    if noise.model == "text":
        text_overlay.font_paths()


def fingerprint(noise):
    """A short hash of what the noise depends on besides its string: "", or the fonts of text."""
    if noise.model != "text":
        return ""
    fonts = [(os.path.basename(p), os.path.getsize(p)) for p in text_overlay.font_paths()]
    return "-" + hashlib.sha256(repr(fonts).encode()).hexdigest()[:8]


def corrupt(clean, noise, level, seed):
    """Adds noise of the given model and level.

    Never clips to [0, 1]: that would shift the mean of dark and bright pixels, and an estimator
    of the level would learn the shift (Laine et al. 2019; tests/golden/noise_stats.npz).

    Args:
        clean: (H, W, C) float in [0, 1].
        noise: `noise_levels.Noise`; of "none" the image comes back as it is.
        level: scalar, from `draw_level`.
        seed: (2,) int32, (run seed, image number). Equal pairs give equal noise, whatever the
            order, the batch size or the number of workers.

    Returns:
        (H, W, C), dtype of `clean`, beyond [0, 1] where the noise leads there.

    Raises:
        ValueError: `clean` is not floating point; uint8 would be taken for [0, 1] silently.
    """
    if not clean.dtype.is_floating:
        raise ValueError(f"clean is {clean.dtype.name}: scale it to float32 in [0, 1] first.")
    if noise.model == "none":
        return clean
    add = {
        "gauss": add_gaussian,
        "poisson": add_poisson,
        "impulse": add_impulse,
        "bernoulli": multiply_bernoulli,
        "text": add_text,
    }[noise.model]
    return add(clean, tf.cast(level, clean.dtype), seed)


def add_gaussian(clean, sigma, seed):
    """noisy = clean + sigma * n, n ~ N(0, 1); sigma on the scale of `clean`."""
    return clean + sigma * tf.random.stateless_normal(tf.shape(clean), seed, dtype=clean.dtype)


def add_poisson(clean, lam, seed):
    """noisy ~ Poisson(lam * clean) / lam: mean clean, variance clean / lam; below 0 counts as 0."""
    rate = tf.maximum(clean, 0.0) * lam
    counts = tf.random.stateless_poisson(tf.shape(clean), seed, rate, dtype=clean.dtype)
    return tf.math.divide_no_nan(counts, lam)


def add_impulse(clean, probability, seed):
    """With `probability` a pixel, all channels together, becomes uniform on [0, 1] per channel."""
    seeds = tf.random.split(seed, 2)
    shape = tf.shape(clean)
    mask_shape = tf.concat([shape[:-1], [1]], axis=0)
    keep = tf.random.stateless_uniform(mask_shape, seeds[0], dtype=clean.dtype) >= probability
    replacement = tf.random.stateless_uniform(shape, seeds[1], dtype=clean.dtype)
    return tf.where(keep, clean, replacement)


def multiply_bernoulli(clean, probability, seed):
    """With `probability` a pixel, all channels together, is lost: it becomes 0."""
    return clean * tf.cast(kept_pixels(tf.shape(clean)[:2], probability, seed), clean.dtype)


def kept_pixels(shape, probability, seed):
    """Which pixels `multiply_bernoulli` keeps under the same seed: (H, W, 1) bool."""
    uniform = tf.random.stateless_uniform(tf.concat([shape, [1]], axis=0), seed)
    return uniform >= tf.cast(probability, uniform.dtype)


def add_text(clean, coverage, seed):
    """Writes random strings over the image until a share of `coverage` is covered; see text."""

    def draw(image, share, key):
        rng = np.random.Generator(np.random.Philox(key=key.astype(np.uint64)))
        return text_overlay.overlay(image, float(share), rng)

    noisy = tf.numpy_function(draw, [clean, coverage, seed], clean.dtype, stateful=False)
    return tf.ensure_shape(noisy, clean.shape)
