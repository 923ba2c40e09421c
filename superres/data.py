"""Training data of super-resolution: crops that are shrunk and enlarged again."""

import math

import tensorflow as tf

from common.data import image_sets, pipeline, streams
from common.data.streams import ArrayStream, TensorStream
from common.files import pixels
from n2v_tf import masking

COPIES = (1.0, 0.85, 0.7, 0.55, 0.4)  # factors of the sides of an image's copies


def shrink_and_enlarge(image, scale):
    """Shrinks an image bicubically (Pillow), and enlarges the result again.

    Args:
        image: (H, W, C) float.
        scale: 2, 3 or 4.

    Returns:
        (small image (H / scale, W / scale, C), enlarged image), sides rounded down to multiples.
    """
    small = pixels.resize(image, [side // scale for side in image.shape[:2]])
    return small, pixels.resize(small, [side * scale for side in small.shape[:2]])


def with_copies(image_set, config):
    """An ImageSet of the images and of those smaller copies of each that still hold a crop."""
    copies, names = [], []
    for name, image in zip(image_set.names, image_set.images):
        unit = pixels.to_channels(image, config.channels, config.grey)
        unit = pixels.to_unit(unit, config.white_level)
        for share in COPIES:
            sides = [round(share * side) for side in unit.shape[:2]]
            if share == 1.0:
                copies.append(image)
            elif min(sides) >= config.crop_size:
                copy = pixels.resize(unit, sides)
                white = config.white_level or pixels.white_level(image.dtype)
                copies.append(pixels.from_unit(copy, image.dtype, white))
            else:
                continue
            names.append(f"{name}@{share:g}")
    return image_sets.ImageSet(image_set.name, copies, names)


def training_batches(image_set, config, start):
    """Batches (x, y) of enlarged crops and their targets, see pipeline.training_batches.

    x has `noisy` (N, H, W, C), the enlarged crop with noise. y has `target`, `clean` (the crop),
    and with learner=n2v `kept`, 1 in the blind spots and 0 elsewhere.
    """
    image_set, size = pipeline.grown(image_set, config, start)
    size -= size % math.lcm(config.side_multiple, config.scale)
    shape = (size, size, config.channels)
    noise, target_noise = config.noise, config.target_noise

    def draw(number):
        crop = pipeline.draw_crop(image_set.images, config, number, shape=(size, size))
        if config.own_copies:
            stream = ArrayStream.SUPERRES_ORIENTATION
            crop = pipeline.oriented(crop, pixels.ORIENTATIONS, stream, config.seed, number)
        return crop, shrink_and_enlarge(crop, config.scale)[1]

    def example(number):
        drawn = tf.numpy_function(draw, [number], [tf.float32] * 2, stateful=False)
        crop, enlarged = (tf.ensure_shape(x, shape) for x in drawn)
        noisy, level = pipeline.corrupt(enlarged, noise, config.seed, number)
        x = {"noisy": noisy, "noise_level": level, "number": tf.cast(number, tf.float32)}
        if config.learner == "n2v":
            seed = streams.image_seed(config.seed, number)
            seed = streams.fold(seed, TensorStream.SUPERRES_BLIND_SPOTS)
            hidden, kept = masking.mask_channels(
                noisy, config.perc_pix, "uniform_withCP", config.radius, seed
            )
            y = {"target": noisy, "kept": tf.cast(kept, tf.float32), "clean": crop}
            return x | {"noisy": hidden}, y
        target = enlarged if config.target == "bicubic" else crop
        target, _ = pipeline.corrupt(target, target_noise, config.seed, number, second=True)
        return x, {"target": target, "clean": crop}

    return pipeline.numbered(example, config, start)


def cut_to_scale(image, scale):
    """Cuts an image (H, W, C) at the right and the bottom to sides that are multiples of the scale.

    Raises:
        ValueError: a side is smaller than the scale.
    """
    height, width = (side // scale * scale for side in image.shape[:2])
    if 0 in (height, width):
        sides = "x".join(map(str, image.shape[:2]))
        raise ValueError(f"{sides} pixels; scale={scale} leaves nothing.")
    return image[:height, :width]
