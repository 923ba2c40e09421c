"""Noisy images to train on, and batches of crops with their blind spots hidden."""

import dataclasses
import functools
import hashlib

import numpy as np
import tensorflow as tf

from common import datasets, evaluation, images, inspection, noise_levels, pipeline, stacks
from common import noise as noises
from n2v_tf import masking

# What a draw is for; folded into the seed beside those of the pipeline.
MASK, STATISTICS, VALIDATION = 16, 17, 18
VALIDATION_CROPS = 32  # their numbers lie far beyond those of the training
VALIDATION_START = 2**30


@dataclasses.dataclass(frozen=True)
class TrainingSet(datasets.ImageSet):
    """Images (H, W, C) or (D, H, W, C) as stored, and what standardises them.

    mean, std: (C,) float32, of the noisy images on the scale of `images.to_unit`.
    """

    mean: np.ndarray = None
    std: np.ndarray = None

    def fingerprint(self):
        """Of other pixels another one: a resumed run would standardise by other figures."""
        told = hashlib.sha256(self.mean.tobytes() + self.std.tobytes()).hexdigest()[:8]
        return f"{super().fingerprint()}-{told}"


def noisy_images(config, data_dir, max_images):
    """Noisy files, or clean ones to add noise to.

    Raises:
        ValueError: photographs where volumes or other channels than 1 or 3 are asked for.
        images.ImageError: nothing readable, axes or channels that don't fit.
    """
    if config.data_path:
        return stacks.load(
            config.data_path,
            pattern=config.file_pattern,
            axes=config.dims,
            spatial=config.spatial,
            channels=config.channels,
            max_images=max_images,
        )
    if config.spatial == 3 or config.channels not in (1, 3):
        raise ValueError(
            f"train_set={config.train_set!r}: photographs are no volumes and have 1 or 3 channels; "
            "give files of your own as data_path."
        )
    found = datasets.load(config.train_set, data_dir, max_images=max_images)
    return found.each(lambda image: images.to_channels(image, config.channels))


def training_images(config, data_dir, max_images):
    """The images that a configuration trains on.

    Raises:
        ValueError: a crop larger than every image, or images without any contrast.
        images.ImageError: nothing readable, axes or channels that don't fit.
    """
    found = noisy_images(config, data_dir, max_images)
    usable = pipeline.usable_for_crops(found, config)
    mean, std = statistics(usable, config)
    return TrainingSet(usable.name, usable.images, usable.names, mean, std)


def inspect(config, image_set):
    """What `inspection.report` has to say of the noisy images."""
    paths = stacks.find(config.data_path, config.file_pattern) if config.data_path else ()
    return inspection.report(image_set, config, paths)


def statistics(image_set, config):
    """Mean and standard deviation of every channel over all noisy pixels, each (C,) float32.

    Raises:
        ValueError: a channel has one value only.
    """
    noise = noise_levels.parse(config.noise)
    count, total, squares = 0, 0.0, 0.0
    for number, image in enumerate(image_set.images):
        unit = images.to_unit(image, config.white_level)
        if noise.model != "none":
            seed = tf.random.fold_in(tf.constant([config.seed, number]), STATISTICS)
            unit = noises.corrupt(tf.constant(unit), noise, noises.draw_level(noise, seed), seed)
        pixels = np.asarray(unit, np.float64).reshape(-1, config.channels)
        count += len(pixels)
        total = total + pixels.sum(axis=0)
        squares = squares + np.square(pixels).sum(axis=0)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    flat = np.flatnonzero(std <= 1e-6 * np.abs(mean))
    if len(flat):
        raise ValueError(
            f"{image_set.name}: channel {flat[0]} is {mean[flat[0]]:.4g} everywhere; "
            "there is nothing to learn from constant images."
        )
    return mean.astype(np.float32), std.astype(np.float32)


def training_batches(image_set, config, start):
    """Batches of crops, turned and mirrored at random, with blind spots; see pipeline.numbered.

    x has `noisy` (N, H, W, C) or (N, D, H, W, C) with other values in the blind spots, y has
    `target`, the same without, and `kept`, 1 in them and 0 elsewhere; where noise was added, also
    `clean`. All on the scale of `images.to_unit`.
    """
    noise = noise_levels.parse(config.noise)
    noises.check(noise)
    shape = (*config.crop_shape, config.channels)
    draw = functools.partial(draw_crop, image_set.images, config)

    def example(number):
        clean = tf.numpy_function(draw, [number], tf.float32, stateful=False)
        clean = tf.ensure_shape(clean, shape)
        target, _ = pipeline.corrupt_numbered(clean, noise, config.seed, number)
        seed = tf.stack([tf.cast(config.seed, tf.int32), tf.cast(number, tf.int32)])
        hidden, kept = hide(
            target, image_set.mean, image_set.std, config, tf.random.fold_in(seed, MASK)
        )
        y = {"target": target, "kept": tf.cast(kept, tf.float32)}
        return {"noisy": hidden}, y | ({} if noise.model == "none" else {"clean": clean})

    return pipeline.numbered(example, config, start)


def draw_crop(image_list, config, number):
    """Crop `number`, turned and mirrored at random."""
    crop = pipeline.draw_crop(image_list, config, number)
    rng = np.random.Generator(np.random.Philox(key=[config.seed + 2**34, int(number)]))
    ways = orientations(config)
    crop = images.orient(crop, *ways[rng.integers(len(ways))])
    return np.ascontiguousarray(crop)


@functools.lru_cache(maxsize=4)
def orientations(config):
    """(turns, mirrored) of the ways that leave the direction of structured noise as it is."""
    if not config.augment:
        return [(0, False)]
    if config.struct is None:
        return images.ORIENTATIONS

    def keeps_noise(way):
        return np.array_equal(images.orient(config.struct, *way, (-2, -1)), config.struct)

    return [way for way in images.ORIENTATIONS if keeps_noise(way)]


def hide(patch, mean, std, config, seed):
    """Blind spots of their own in every channel: (patch, where), both (.., C)."""
    struct = _struct_offsets(config)
    hidden, kept = masking.mask_channels(
        (patch - mean) / std,
        config.perc_pix,
        config.manipulator,
        config.radius,
        seed,
        struct=struct,
    )
    return hidden * std + mean, kept


def _struct_offsets(config):
    return None if config.struct is None else masking.struct_offsets(config.struct)


def validation_batch(image_set, config):
    """(x, y) of crops that no training reaches, hidden once for all."""
    size = VALIDATION_CROPS
    config = dataclasses.replace(config, batch_size=size, num_images=size)
    start = VALIDATION_START // size
    (batch,) = training_batches(image_set, config, start).take(1).as_numpy_iterator()
    return batch


def hidden_once(images_array, mean, std, config):
    """(x, y) as of `training_batches` of whole images (N, .., C).

    Every channel has the same blind spots, as the original's validation.
    """
    struct = _struct_offsets(config)
    standard = (np.asarray(images_array, np.float32) - mean) / std
    hidden, kept = standard.copy(), np.zeros(standard.shape, np.float32)
    for number, image in enumerate(standard):
        seed = tf.random.fold_in(tf.constant([config.seed, number]), VALIDATION)
        spots = masking.draw_spots(image.shape[:-1], config.perc_pix, seed)
        for channel in range(config.channels):
            hidden[number, ..., channel], kept[number, ..., channel] = masking.mask(
                tf.constant(image[..., channel]),
                config.perc_pix,
                config.manipulator,
                config.radius,
                tf.random.fold_in(seed, channel),
                struct=struct,
                spots=spots,
            )
    return {"noisy": hidden * std + mean}, {"target": standard * std + mean, "kept": kept}


def validation(config, data_dir):
    """Function as evaluation.validator takes it: pictures of one's own files, or scored ones."""
    if not config.data_path:
        return evaluation.validation(config, data_dir)
    few = noisy_images(config, data_dir, evaluation.VALIDATION_IMAGES)
    return functools.partial(evaluation.validation_examples, few, config)
