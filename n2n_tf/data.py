"""Training data of Noise2Noise: two noisy versions of one crop, synthetic or acquired."""

import functools

import tensorflow as tf

from common.data import datasets, pairs, pipeline, streams
from common.data.streams import ArrayStream
from common.evaluation import example_images
from common.files import pixels


def load_images(config, data_dir, max_images):
    """Loads the images, or the scenes of `config.pairs`, as stored: an ImageSet."""
    if config.pairs:
        return pairs.load_pairs(config.pairs, max_images=max_images)
    return datasets.load(config.train_set, data_dir, max_images=max_images)


def training_images(config, data_dir, max_images):
    """Loads the images, or the scenes of `config.pairs`, that are used for the training.

    An image with a side shorter than the crop is resized to the crop, bicubically, as in the
    original. Scenes of such a size are left out: resizing would mix the noise of their pixels.

    Raises:
        ValueError: all scenes are too small.
    """
    images = load_images(config, data_dir, max_images)
    if config.pairs:
        return pipeline.usable_for_crops(images, config)
    return images.each(functools.partial(enlarge, size=config.crop_size))


def enlarge(image, size):
    """Resizes an image (H, W, C) to (size, size, C) if a side is shorter than `size` pixels.

    Other images are returned as they are. The type of the values stays.
    """
    if min(image.shape[:2]) >= size:
        return image
    resized = pixels.resize(image, (size, size)) / pixels.white_level(image.dtype)
    if image.dtype.kind == "f":
        return resized.astype(image.dtype)
    return pixels.from_unit(resized, image.dtype)


def training_batches(image_set, config, start):
    """Batches of crops with added noise or of acquired pairs, see pipeline.training_batches."""
    if config.pairs:
        return pair_batches(image_set, config, start)
    return pipeline.noise2noise_batches(image_set, config, start)


def pair_batches(scenes, config, start):
    """Batches of crops with two different acquisitions of each.

    Args:
        scenes: ImageSet of scenes (K, H, W, C), K >= 2 acquisitions.
        config: `configs.Config` with pairs.
        start: number of the first batch.
    """
    scenes, size = pipeline.grown(scenes, config, start)

    def draw(number):
        rng = streams.generator(ArrayStream.N2N_ACQUISITIONS, config.seed, number)
        # The crop is at the same place in all acquisitions of the scene.
        crops = pipeline.draw_crop(scenes.images, config, number, shape=(size, size))
        crops = pipeline.turned(crops, config, number)
        first, second = rng.permutation(len(crops))[:2]
        return crops[first], crops[second]

    def example(number):
        noisy, target = tf.numpy_function(draw, [number], [tf.float32] * 2, stateful=False)
        noisy, target = (tf.ensure_shape(x, (size, size, config.channels)) for x in (noisy, target))
        x = {"noisy": noisy, "noise_level": 0.0, "number": tf.cast(number, tf.float32)}
        return x, {"target": target}

    return pipeline.numbered(example, config, start)


def pair_examples(config):
    """A function that yields the first acquisition of a few validation scenes, without references.

    See Method.validation_examples.
    """
    scenes = pairs.load_pairs(config.validation_set, max_images=example_images.how_many(config))
    firsts = example_images.part_of(scenes.each(lambda acquisitions: acquisitions[0]), config)
    return functools.partial(example_images.as_they_are, firsts, config)
