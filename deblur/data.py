"""Training data of deblurring, one crop blurred by two kernels, and examples to score."""

import tensorflow as tf

from common.data import pipeline, streams
from common.data.streams import ArrayStream
from deblur import kernels


def training_batches(image_set, config, start):
    """Batches (x, y) of pairs of blurred crops, see pipeline.training_batches.

    x has `noisy` (N, H, W, C), the blurred crop with noise. y has `target`, the crop blurred by
    another kernel or clean, and `clean`. Blur is circular: the crop is continued periodically.
    """
    size, shape = config.crop_size, (config.crop_size, config.crop_size, config.channels)
    noise = config.noise
    blur = kernels.parse(config.blur)
    sides = _kernel_sides(config, (size, size))

    def draw(number):
        rng = streams.generator(ArrayStream.DEBLUR_KERNELS, config.seed, number)
        crop = pipeline.draw_crop(image_set.images, config, number)
        kernel, other = (kernels.draw(blur, rng, sides, unit_sum=config.unit_sum) for _ in range(2))
        blurred, target = kernels.convolve(crop, kernel), crop
        if config.targets == "blurred":
            if blur.model in kernels.CAMERA and rng.random() < 0.5:
                other = kernels.sharpening(other)
            target = kernels.convolve(crop, other)
        return blurred, target, crop

    def example(number):
        drawn = tf.numpy_function(draw, [number], [tf.float32] * 3, stateful=False)
        blurred, target, crop = (tf.ensure_shape(x, shape) for x in drawn)
        noisy, level = pipeline.corrupt(blurred, noise, config.seed, number)
        if config.targets == "blurred":
            target, _ = pipeline.corrupt(target, noise, config.seed, number, second=True)
        x = {"noisy": noisy, "noise_level": level, "number": tf.cast(number, tf.float32)}
        return x, {"target": target, "clean": crop}

    return pipeline.numbered(example, config, start)


def _kernel_sides(config, sides):
    """(h, w) of random kernels, pixels: that of the configuration, or that of the image."""
    return (config.kernel_size,) * 2 if config.kernel_size else sides


def blurred_example(clean, config, seed, number):
    """Blurs a clean image by `config.validation_blur`, with fixed random draws.

    Args:
        clean: (H, W, C) float32 in [0, 1].
        config: a completed `configs.Config`.
        seed, number: ints that determine the draws.

    Returns:
        (blurred image (H, W, C) float32, kernel (h, w)).

    Raises:
        ValueError: the image is smaller than the kernel.
    """
    law = config.validation_blur
    if kernels.is_file(law):
        kernel = kernels.read(law)
    else:
        rng = streams.generator(ArrayStream.DEBLUR_EVALUATION, seed, number)
        sides = _kernel_sides(config, clean.shape[:2])
        kernel = kernels.draw(kernels.parse(law), rng, sides, unit_sum=config.unit_sum)
    return kernels.convolve(clean, kernel), kernel
