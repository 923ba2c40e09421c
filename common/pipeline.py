"""Training batches as a pure function of (seed, image number): stop anywhere, go on there."""

import functools

import numpy as np
import tensorflow as tf
from absl import logging

from common import datasets, noise_levels
from common import images as image_files
from common import noise as noises

# What a draw is for; folded into the seed, so that no two draws of an image are alike.
LEVEL, INPUT, TARGET, TARGET_LEVEL, EVALUATION = range(5)


def training_batches(image_set, config, *, targets="noisy", start=0):
    """An endless data set of batches; batch k is the same whatever was drawn before it.

    Images are drawn without replacement and reshuffled when used up; a random crop of each is
    scaled to [0, 1] and corrupted. They stay in memory as stored, once; only crops become float.

    Args:
        image_set: datasets.ImageSet.
        config: has `noise, channels, crop_size, batch_size, seed, white_level`.
        targets: "noisy": the input itself; "clean"; or "second": other noise on the same crop.
        start: number of the first batch.

    Returns:
        tf.data.Dataset of (x, y): x has `noisy` (N, H, W, C) float32, `noise_level` (N,) and
        `number` (N,), how many images were shown before; y has `target`, unless the noise is "none"
        `clean` (N, H, W, C), and for Bernoulli noise `kept` (N, H, W, 1), 1 where the target was.

    Raises:
        ValueError: every image smaller than the crop, or a target that these images do not have.
    """
    noise = noise_levels.parse(config.noise)
    if noise.model == "none" and targets != "noisy":
        raise ValueError(f"noise='none' has no {targets} targets: the files are all there is.")
    image_set = usable_for_crops(image_set, config)
    noises.check(noise)
    size = config.crop_size
    draw = functools.partial(draw_crop, image_set.images, config)

    def example(number):
        (crop,) = tf.numpy_function(lambda n: (draw(n),), [number], [tf.float32], stateful=False)
        crop = tf.ensure_shape(crop, (size, size, config.channels))
        noisy, level = corrupt_numbered(crop, noise, config.seed, number)
        x = {"noisy": noisy, "noise_level": level, "number": tf.cast(number, tf.float32)}
        if noise.model == "none":
            return x, {"target": noisy}
        if targets == "second":
            target, _ = corrupt_numbered(crop, noise, config.seed, number, second=True)
        else:
            target = noisy if targets == "noisy" else crop
        y = {"target": target, "clean": crop}
        if noise.model == "bernoulli":
            ones = tf.ones((size, size, 1))
            y["kept"] = ones
            if targets != "clean":
                # The same draw as the target's: it depends on the seed and the size alone.
                second = targets == "second"
                y["kept"], _ = corrupt_numbered(ones, noise, config.seed, number, second=second)
        return x, y

    return numbered(example, config, start)


def noise2noise_batches(image_set, config, start):
    """`training_batches` by `config.targets`: "noisy", other noise on the same crop, or "clean"."""
    targets = {"noisy": "second", "clean": "clean"}[config.targets]
    return training_batches(image_set, config, targets=targets, start=start)


def numbered(example, config, start):
    """Batches of example(number), from batch `start` on, without an end."""
    numbers = tf.data.Dataset.counter(start * config.batch_size, dtype=tf.int64)
    examples = numbers.map(example, num_parallel_calls=2, deterministic=True)
    return examples.batch(config.batch_size, drop_remainder=True).prefetch(4)


def corrupt_numbered(clean, noise, seed, number, *, second=False):
    """Noise for image `number` of run `seed`: ((H, W, C) noisy, scalar level).

    `second` gives independent noise for the same image, for targets.
    """
    image_seed = tf.stack([tf.cast(seed, tf.int32), tf.cast(number, tf.int32)])
    level_key, noise_key = (TARGET_LEVEL, TARGET) if second else (LEVEL, INPUT)
    level = noises.draw_level(noise, tf.random.fold_in(image_seed, level_key))
    return noises.corrupt(clean, noise, level, tf.random.fold_in(image_seed, noise_key)), level


def evaluation_noise(clean, noise, seed, number):
    """The same for evaluation, apart from all training draws: (float32 array, level as float)."""
    apart = tf.random.fold_in(tf.constant([seed, 0], tf.int32), EVALUATION)[0]
    noisy, level = corrupt_numbered(tf.constant(clean, tf.float32), noise, apart, number)
    return noisy.numpy(), float(level)


def load_images(config, data_dir, max_images):
    """The images of a configuration's training set."""
    return datasets.load(config.train_set, data_dir, max_images=max_images)


def training_images(config, data_dir, max_images):
    """The images that a configuration trains on, those left out that are too small."""
    return usable_for_crops(load_images(config, data_dir, max_images), config)


def usable_for_crops(image_set, config):
    """Leaves out images smaller than the crop, and says so.

    Raises:
        ValueError: all are.
        images.ImageError: really noisy ones of other channels than the config's.
    """
    crop = config.crop_shape
    large = image_set.only(lambda image: all(a >= b for a, b in zip(_sides(image, crop), crop)))
    if not len(large):
        sides = max((_sides(image, crop) for image in image_set.images), key=min)
        raise ValueError(
            f"{_crop_flags(config)}: crops of {_by(crop)} are larger than every image of "
            f"{image_set.name}; the largest is {_by(sides)}."
        )
    if len(large) < len(image_set):
        logging.warning(
            "%s: %d of %d images are smaller than the crop of %s and left out.",
            image_set.name,
            len(image_set) - len(large),
            len(image_set),
            _by(crop),
        )
    if config.noise == "none":
        check_channels(large, config.channels)
    return large


def _sides(image, crop):
    """Those sides of an array (.., H, W, C) that a crop cuts."""
    return image.shape[-1 - len(crop) : -1]


def _crop_flags(config):
    depth = f"crop_depth={config.crop_shape[0]}, " if len(config.crop_shape) == 3 else ""
    return f"{depth}crop_size={config.crop_size}"


def _by(sides):
    return "x".join(map(str, sides))


def check_channels(image_set, channels):
    """Refuses to mix channels of really noisy images: the mean of three has another noise."""
    for name, image in zip(image_set.names, image_set.images):
        colours = {1: 1, 2: 1, 3: 3, 4: 3}.get(image.shape[-1])
        if channels not in (colours, image.shape[-1]):
            raise image_files.ImageError(
                f"{name}: {image.shape[-1]} channels, expected {channels}; set --channels=1 or 3."
            )


@functools.lru_cache(maxsize=4)
def _permutation(seed, epoch, count):
    return np.random.Generator(np.random.Philox([seed, epoch])).permutation(count)


def draw_crop(images, config, number):
    """Crop `number` of the run: (*crop_shape, C) float32 in [0, 1].

    Of (K, H, W, C), K acquisitions of a scene, the same crop through all.
    """
    number, shape = int(number), config.crop_shape
    epoch, position = divmod(number, len(images))
    image = images[_permutation(config.seed, epoch, len(images))[position]]
    rng = np.random.Generator(np.random.Philox(key=[config.seed, number]))
    starts = [int(rng.integers(a - b + 1)) for a, b in zip(_sides(image, shape), shape)]
    # Channels here, a crop at a time: a second copy of all images might not fit.
    crop = image[(..., *(slice(a, a + b) for a, b in zip(starts, shape)), slice(None))]
    crop = image_files.to_channels(crop, config.channels)
    return image_files.to_unit(np.ascontiguousarray(crop), config.white_level)
