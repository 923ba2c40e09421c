"""What Noise2Noise trains on: two noisy versions of one crop, synthetic or really acquired."""

import functools

import tensorflow as tf

from common.data import datasets, pairs, pipeline, streams
from common.data.streams import ArrayStream
from common.evaluation import example_images
from common.files import pixels


def load_images(config, data_dir, max_images):
    """The images, or the scenes of pairs, that a configuration names, as stored."""
    if config.pairs:
        return pairs.load_pairs(config.pairs, max_images=max_images)
    return datasets.load(config.train_set, data_dir, max_images=max_images)


def training_images(config, data_dir, max_images):
    """The images, or scenes of pairs, that a configuration trains on.

    Images with a side shorter than the crop are first resized to the crop, bicubically, as the
    original does; pairs of such a size are left out, for resizing would mix their pixels' noise.
    """
    images = load_images(config, data_dir, max_images)
    if config.pairs:
        return pipeline.usable_for_crops(images, config)
    return images.each(functools.partial(enlarge, size=config.crop_size))


def enlarge(image, size):
    """(H, W, C) as it is, or (size, size, C) of the same type if a side is shorter than `size`."""
    if min(image.shape[:2]) >= size:
        return image
    resized = pixels.resize(image, (size, size)) / pixels.white_level(image.dtype)
    if image.dtype.kind == "f":
        return resized.astype(image.dtype)
    return pixels.from_unit(resized, image.dtype)


def training_batches(image_set, config, start):
    """Batches as of pipeline.training_batches: of noise that is added, or of real pairs."""
    if config.pairs:
        return pair_batches(image_set, config, start)
    return pipeline.noise2noise_batches(image_set, config, start)


def pair_batches(scenes, config, start):
    """Batches of scenes of several acquisitions, (K, H, W, C) each: two different ones a crop."""
    size = config.crop_size

    def draw(number):
        rng = streams.generator(ArrayStream.N2N_ACQUISITIONS, config.seed, number)
        # One crop through all acquisitions, then two of them.
        crops = pipeline.draw_crop(scenes.images, config, number)
        first, second = rng.permutation(len(crops))[:2]
        return crops[first], crops[second]

    def example(number):
        noisy, target = tf.numpy_function(draw, [number], [tf.float32] * 2, stateful=False)
        noisy, target = (tf.ensure_shape(x, (size, size, config.channels)) for x in (noisy, target))
        x = {"noisy": noisy, "noise_level": 0.0, "number": tf.cast(number, tf.float32)}
        return x, {"target": target}

    return pipeline.numbered(example, config, start)


def pair_examples(config):
    """A function that yields the first acquisition of a few validation scenes, as it is."""
    scenes = pairs.load_pairs(config.validation_set, max_images=example_images.VALIDATION_IMAGES)
    firsts = scenes.each(lambda acquisitions: acquisitions[0]).each(example_images.centre)
    return functools.partial(example_images.as_they_are, firsts, config)
