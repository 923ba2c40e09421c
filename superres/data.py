"""What super-resolution trains on: crops shrunk and enlarged again; and examples to score."""

import numpy as np
import tensorflow as tf

from common import datasets, evaluation, images, noise_levels, pipeline
from n2v_tf import masking

MASK = 32  # what a draw is for, beside those of the pipeline
COPIES = (1.0, 0.85, 0.7, 0.55, 0.4)  # of an image that is trained on itself, by their sides
ORIENTATION = 2**37  # keys of draws, beside those of crops


def shrink_and_enlarge(image, scale):
    """The small image and that enlarged again, by Pillow, of (H, W, C) float."""
    small = images.resize(image, [side // scale for side in image.shape[:2]])
    return small, images.resize(small, [side * scale for side in small.shape[:2]])


def training_images(config, data_dir, max_images):
    """The images that a configuration trains on, and smaller copies of them where it says so."""
    image_set = datasets.load(config.train_set, data_dir, max_images=max_images)
    if config.own_copies:
        image_set = _with_copies(image_set, config)
    return pipeline.usable_for_crops(image_set, config)


def _with_copies(image_set, config):
    """The images, and of each those smaller copies that still hold a crop."""
    found, names = [], []
    for name, image in zip(image_set.names, image_set.images):
        unit = images.to_unit(images.to_channels(image, config.channels), config.white_level)
        for share in COPIES:
            sides = [round(share * side) for side in unit.shape[:2]]
            if share == 1.0:
                found.append(image)
            elif min(sides) >= config.crop_size:
                copy = images.resize(unit, sides)
                white = config.white_level or images.white_level(image.dtype)
                found.append(images.from_unit(copy, image.dtype, white))
            else:
                continue
            names.append(f"{name}@{share:g}")
    return datasets.ImageSet(image_set.name, found, names)


def training_batches(image_set, config, start):
    """Batches of enlarged crops and what n2n or n2v learns from; see pipeline.numbered.

    x has `noisy` (N, H, W, C), enlarged and noisy; y `target`, `clean`, the crop, and of n2v
    `kept`, 1 in the blind spots.
    """
    shape = (config.crop_size, config.crop_size, config.channels)
    noise, target_noise = map(noise_levels.parse, (config.noise, config.target_noise))

    def draw(number):
        crop = pipeline.draw_crop(image_set.images, config, number)
        if config.own_copies:
            rng = np.random.Generator(
                np.random.Philox(key=[config.seed + ORIENTATION, int(number)])
            )
            crop = images.orient(crop, *images.ORIENTATIONS[rng.integers(8)])
        crop = np.ascontiguousarray(crop)
        return crop, shrink_and_enlarge(crop, config.scale)[1]

    def example(number):
        drawn = tf.numpy_function(draw, [number], [tf.float32] * 2, stateful=False)
        crop, enlarged = (tf.ensure_shape(x, shape) for x in drawn)
        noisy, level = pipeline.corrupt_numbered(enlarged, noise, config.seed, number)
        x = {"noisy": noisy, "noise_level": level, "number": tf.cast(number, tf.float32)}
        if config.learner == "n2v":
            seed = tf.stack([tf.cast(config.seed, tf.int32), tf.cast(number, tf.int32)])
            seed = tf.random.fold_in(seed, MASK)
            hidden, kept = masking.mask_channels(
                noisy, config.perc_pix, "uniform_withCP", config.radius, seed
            )
            y = {"target": noisy, "kept": tf.cast(kept, tf.float32), "clean": crop}
            return x | {"noisy": hidden}, y
        target = enlarged if config.target == "bicubic" else crop
        target, _ = pipeline.corrupt_numbered(
            target, target_noise, config.seed, number, second=True
        )
        return x, {"target": target, "clean": crop}

    return pipeline.numbered(example, config, start)


def examples(image_set, config, *, noise, seed, repeats):
    """Yields (name, clean, inputs) of images that are shrunk and enlarged again.

    clean: (H, W, C), cut to multiples of the scale, as the field does. inputs: `noisy`, enlarged
    and noisy, `noise_level`, and `small` (H / scale, W / scale, C) without noise.

    Raises:
        images.ImageError: an image of which the scale leaves nothing; names it.
    """
    model, scale = noise_levels.parse(noise), config.scale
    for repeat in range(repeats):
        for i, (name, image) in enumerate(zip(image_set.names, image_set.images)):
            height, width = (side // scale * scale for side in image.shape[:2])
            if 0 in (height, width):
                sides = "x".join(map(str, image.shape[:2]))
                raise images.ImageError(f"{name}: {sides} pixels; scale={scale} leaves nothing.")
            clean = images.to_channels(image[:height, :width], config.channels)
            clean = images.to_unit(clean, config.white_level)
            small, enlarged = shrink_and_enlarge(clean, scale)
            number = repeat * len(image_set) + i
            noisy, level = pipeline.evaluation_noise(enlarged, model, seed, number)
            yield name, clean, {"noisy": noisy, "noise_level": level, "small": small}


validation = evaluation.validation_by(examples)
