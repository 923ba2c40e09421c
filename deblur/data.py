"""What deblurring trains on: one crop blurred by two kernels; and examples to score."""

import numpy as np
import tensorflow as tf

from common import evaluation, images, noise_levels, pipeline
from deblur import kernels

# Of the keys of draws; those of crops are the seeds themselves, far below.
TRAINING, EVALUATION = 2**35, 2**36


def training_batches(image_set, config, start):
    """Batches of pairs of blurred crops; as pipeline.training_batches, see pipeline.numbered.

    x has `noisy` (N, H, W, C), y `target`, blurred by another kernel or not at all, and `clean`.
    Every crop is blurred as if it were repeated on all sides.
    """
    size, shape = config.crop_size, (config.crop_size, config.crop_size, config.channels)
    noise = noise_levels.parse(config.noise)
    blur = kernels.parse(config.blur)
    sides = _kernel_sides(config, (size, size))

    def draw(number):
        rng = np.random.Generator(np.random.Philox(key=[config.seed + TRAINING, int(number)]))
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
        noisy, level = pipeline.corrupt_numbered(blurred, noise, config.seed, number)
        if config.targets == "blurred":
            target, _ = pipeline.corrupt_numbered(target, noise, config.seed, number, second=True)
        x = {"noisy": noisy, "noise_level": level, "number": tf.cast(number, tf.float32)}
        return x, {"target": target, "clean": crop}

    return pipeline.numbered(example, config, start)


def _kernel_sides(config, sides):
    return (config.kernel_size,) * 2 if config.kernel_size else sides


def examples(image_set, config, *, noise, seed, repeats):
    """Yields (name, clean, inputs) as evaluation.noisy_images, by `config.validation_blur`.

    inputs has `noisy`, blurred by a kernel of its own and noisy, `noise_level`, and `kernel` (h, w)
    for those who may know it.

    Raises:
        images.ImageError: an image smaller than the kernel; names it.
    """
    text, model = config.validation_blur, noise_levels.parse(noise)
    measured = kernels.read(text) if kernels.is_file(text) else None
    for repeat in range(repeats):
        for i, (name, image) in enumerate(zip(image_set.names, image_set.images)):
            clean = images.to_unit(images.to_channels(image, config.channels), config.white_level)
            number = repeat * len(image_set) + i
            rng = np.random.Generator(np.random.Philox(key=[seed + EVALUATION, number]))
            kernel = measured
            if kernel is None:
                sides = _kernel_sides(config, clean.shape[:2])
                blur = kernels.parse(text)
                kernel = kernels.draw(blur, rng, sides, unit_sum=config.unit_sum)
            try:
                blurred = kernels.convolve(clean, kernel)
            except ValueError as error:
                raise images.ImageError(f"{name}: {error}") from error
            noisy, level = pipeline.evaluation_noise(blurred, model, seed, number)
            yield name, clean, {"noisy": noisy, "noise_level": level, "kernel": kernel}


validation = evaluation.validation_by(examples)
