"""Training data of Noise2Void: noisy images, and batches of crops with hidden blind spots."""

from __future__ import annotations

import dataclasses
import functools
import hashlib

import numpy as np
import tensorflow as tf

from common.data import datasets, image_sets, own_files, pipeline, streams
from common.data.streams import ArrayStream, TensorStream
from common.files import pixels
from n2v_tf import blind_spots, masking

VALIDATION_CROPS = 32
VALIDATION_START = 2**30  # number of the first validation crop, far above those of the training


@dataclasses.dataclass(frozen=True)
class TrainingSet(image_sets.ImageSet):
    """Images (H, W, C) or (D, H, W, C) as stored, with the statistics that standardise them.

    mean, std: (C,) float32, mean and standard deviation of the noisy images, on the scale of
        `pixels.to_unit`.
    """

    mean: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(1, np.float32))
    std: np.ndarray = dataclasses.field(default_factory=lambda: np.ones(1, np.float32))

    def fingerprint(self):
        """A hash of the images and of their mean and deviation.

        With other statistics a resumed run would standardise its images differently.
        """
        statistics = hashlib.sha256(self.mean.tobytes() + self.std.tobytes()).hexdigest()[:8]
        return f"{super().fingerprint()}-{statistics}"


def load_images(config, data_dir, max_images):
    """Loads the noisy files of `data_path`, or the images of `train_set`: an ImageSet.

    Raises:
        ValueError: the configuration asks for volumes, or for other channels than 1 or 3, and the
            training set consists of photographs.
        ImageError: no file is readable, or axes or channels don't fit.
    """
    if config.data_path:
        return own_files.load(
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
    images = datasets.load(config.train_set, data_dir, max_images=max_images)
    images = images.each(lambda image: pixels.to_channels(image, config.channels, config.grey))
    return images if config.redraw_noise else with_fixed_noise(images, config)


def with_fixed_noise(image_set, config):
    """The images with noise that is drawn once for each: float32, of the files' white level."""
    noise, white = config.noise, config.white_level or 1.0
    noise.check()
    noisy = []
    for number, image in enumerate(image_set.images):
        seed = streams.image_seed(config.seed, number)
        seed = streams.fold(seed, TensorStream.N2V_FIXED_NOISE)
        unit = tf.constant(pixels.to_unit(image, config.white_level))
        noisy.append(noise.corrupt(unit, noise.draw_level(seed), seed).numpy() * np.float32(white))
    return dataclasses.replace(image_set, images=noisy)


def with_statistics(image_set, config):
    """Makes a TrainingSet of an ImageSet, with the mean and standard deviation of its images.

    Raises:
        ValueError: a channel has one value only.
    """
    mean, std = statistics(image_set, config)
    return TrainingSet(image_set.name, image_set.images, image_set.names, mean, std)


def statistics(image_set, config):
    """Mean and standard deviation of every channel over all noisy pixels, each (C,) float32.

    Raises:
        ValueError: a channel has one value only.
    """
    noise = config.noise_of_crops
    count, total, squares = 0, 0.0, 0.0
    for number, image in enumerate(image_set.images):
        unit = pixels.to_unit(image, config.white_level)
        if not noise.is_none:
            seed = tf.constant([config.seed, number])
            seed = streams.fold(seed, TensorStream.N2V_STATISTICS)
            unit = noise.corrupt(tf.constant(unit), noise.draw_level(seed), seed)
        values = np.asarray(unit, np.float64).reshape(-1, config.channels)
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + np.square(values).sum(axis=0)
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
    """Batches (x, y) of crops, turned and mirrored at random, with blind spots.

    x has `noisy` (N, H, W, C) or (N, D, H, W, C), with other values in the blind spots. y has
    `target`, the crop without blind spots, `kept`, 1 in the blind spots and 0 elsewhere, and
    `clean` if noise was added. Values are on the scale of `pixels.to_unit`.

    Args:
        image_set: `TrainingSet`.
        config: a completed `configs.Config`.
        start: number of the first batch, see pipeline.numbered.
    """
    noise = config.noise_of_crops
    noise.check()
    shape = (*config.crop_shape, config.channels)
    draw = functools.partial(draw_crop, image_set.images, config)

    def example(number):
        clean = tf.numpy_function(draw, [number], tf.float32, stateful=False)
        clean = tf.ensure_shape(clean, shape)
        target, _ = pipeline.corrupt(clean, noise, config.seed, number)
        seed = streams.fold(streams.image_seed(config.seed, number), TensorStream.N2V_BLIND_SPOTS)
        hidden, kept = hide(target, image_set.mean, image_set.std, config, seed)
        y = {"target": target, "kept": tf.cast(kept, tf.float32)}
        return {"noisy": hidden}, y | ({} if noise.is_none else {"clean": clean})

    return pipeline.numbered(example, config, start)


def draw_crop(image_list, config, number):
    """Draws crop `number`, turned and mirrored at random: (H, W, C) or (D, H, W, C) float32."""
    crop = pipeline.draw_crop(image_list, config, number)
    ways = orientations(config)
    return pipeline.oriented(crop, ways, ArrayStream.N2V_ORIENTATION, config.seed, number)


@functools.lru_cache(maxsize=4)
def orientations(config):
    """List of (quarter turns, mirrored), the orientations in which crops are shown.

    With struct_kernel these are the ones that leave the kernel, the direction of the noise,
    unchanged.
    """
    if not config.augment:
        return [(0, False)]
    if config.struct is None:
        return pixels.ORIENTATIONS

    def keeps_noise(way):
        return np.array_equal(pixels.orient(config.struct, *way, (-2, -1)), config.struct)

    return [way for way in pixels.ORIENTATIONS if keeps_noise(way)]


def hide(patch, mean, std, config, seed):
    """Hides blind spots of a patch, other ones in every channel.

    Args:
        patch: (H, W, C) or (D, H, W, C) tensor.
        mean, std: (C,), which standardise the patch.
        config: `configs.Config`.
        seed: (2,) int32.

    Returns:
        (patch with other values in the blind spots, bool tensor of where they are), both with the
        shape of `patch`.
    """
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
    return None if config.struct is None else blind_spots.struct_offsets(config.struct)


def validation_batch(image_set, config):
    """A batch (x, y) of `VALIDATION_CROPS` crops that no training reaches; always the same."""
    size = VALIDATION_CROPS
    config = dataclasses.replace(config, batch_size=size, num_images=size)
    start = VALIDATION_START // size
    (batch,) = training_batches(image_set, config, start).take(1).as_numpy_iterator()
    return batch


def hidden_once(images_array, mean, std, config):
    """(x, y), as in `training_batches`, of whole images (N, ..., C); always with the same spots.

    All channels have the same blind spots, and the pixels around them that structN2V hides in the
    training stay, as in the original's validation.
    """
    standard = (np.asarray(images_array, np.float32) - mean) / std
    hidden, kept = standard.copy(), np.zeros(standard.shape, np.float32)
    for number, image in enumerate(standard):
        seed = streams.fold(tf.constant([config.seed, number]), TensorStream.N2V_VALIDATION)
        spots = masking.draw_spots(image.shape[:-1], config.perc_pix, seed)
        for channel in range(config.channels):
            hidden[number, ..., channel], kept[number, ..., channel] = masking.mask(
                tf.constant(image[..., channel]),
                config.perc_pix,
                config.manipulator,
                config.radius,
                tf.random.fold_in(seed, channel),
                spots=spots,
            )
    return {"noisy": hidden * std + mean}, {"target": standard * std + mean, "kept": kept}
