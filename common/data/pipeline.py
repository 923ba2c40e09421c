"""Training batches as a pure function of (seed, image number): stop anywhere, go on there."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from common import noise as noises
from common.data import datasets, streams
from common.data.image_sets import ImageSet
from common.data.streams import ArrayStream, TensorStream
from common.files import pixels
from common.files.errors import ImageError

log = logging.getLogger(__name__)

NAMED_AT_MOST = 5  # images that a warning names

# How many crops are made at once, and how many batches wait for the network.
PARALLEL_CROPS, WAITING_BATCHES = 2, 4


def training_batches(image_set: ImageSet, config, *, targets="noisy", start=0) -> tf.data.Dataset:
    """A data set of batches; batch k is the same whatever was drawn before it.

    It ends where the next batch has larger crops, else never. Images are drawn without replacement
    and reshuffled when used up; a random crop of each is scaled to [0, 1] and corrupted. Images
    stay in memory as stored, once; only crops become float.

    Args:
        image_set: images, each at least as large as a crop.
        config: has `noise, channels, crop_size, crop_growth, batch_size, num_images, seed,
            white_level, augment, grey, edges`.
        targets: "noisy": the input itself; "clean"; or "second": other noise on the same crop.
        start: number of the first batch.

    Returns:
        Batches (x, y): x has `noisy` (N, H, W, C) float32, `noise_level` (N,) and `number` (N,),
        how many images were shown before, with `edges` also `inside`; y has `target`, unless the
        noise is "none" `clean` (N, H, W, C), and for noise that loses pixels `kept` (N, H, W, 1),
        1 where the target is not lost. See types.Inputs and types.Targets.

    Raises:
        ValueError: every image is smaller than the crop, or the target is one that these images do
            not have.
    """
    noise = config.noise
    if noise.is_none and targets != "noisy":
        raise ValueError(f"noise='none' has no {targets} targets: the files are all there is.")
    image_set = usable_for_crops(image_set, config)
    noise.check()
    image_set, size = grown(image_set, config, start)

    def draw(number):
        crop = draw_crop(image_set.images, config, number, shape=(size, size))
        return turned(crop, config, number)

    def example(number):
        crop = tf.numpy_function(draw, [number], tf.float32, stateful=False)
        crop = tf.ensure_shape(crop, (size, size, config.channels))
        noisy, level = corrupt(crop, noise, config.seed, number)
        x = {"noisy": noisy, "noise_level": level, "number": tf.cast(number, tf.float32)}
        if config.edges:
            x["inside"] = inside_edges(size, config, number)
        if noise.is_none:
            return x, {"target": noisy}
        if targets == "second":
            target, _ = corrupt(crop, noise, config.seed, number, second=True)
        else:
            target = noisy if targets == "noisy" else crop
        y = {"target": target, "clean": crop}
        if noise.RECOVERED_BY == "kept mean":
            ones = tf.ones((size, size, 1))
            y["kept"] = ones
            if targets != "clean":
                # The same draw as the target's: it depends on the seed and the size alone.
                second = targets == "second"
                y["kept"], _ = corrupt(ones, noise, config.seed, number, second=second)
        return x, y

    return numbered(example, config, start)


def noise2noise_batches(image_set: ImageSet, config, start: int) -> tf.data.Dataset:
    """`training_batches` by `config.targets`: "noisy", other noise on the same crop, or "clean"."""
    targets = {"noisy": "second", "clean": "clean"}[config.targets]
    return training_batches(image_set, config, targets=targets, start=start)


def numbered(example: Callable, config, start: int) -> tf.data.Dataset:
    """Batches of example(number), from batch `start` on; they end where crops grow, or never."""
    numbers = tf.data.Dataset.counter(start * config.batch_size, dtype=tf.int64)
    # No example branches on a tensor, so that TensorFlow need not rewrite its source.
    example = tf.autograph.experimental.do_not_convert(example)
    examples = numbers.map(example, num_parallel_calls=PARALLEL_CROPS, deterministic=True)
    batches = examples.batch(config.batch_size, drop_remainder=True)
    if (end := config.crop_stage(start).end) < config.crop_stages()[-1].end:
        batches = batches.take(end - start)
    # Nothing here is left to TensorFlow to tune; and at the end of a data set its tuner keeps the
    # program waiting, up to as long as the training took, or a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(WAITING_BATCHES).with_options(options)


def grown(image_set: ImageSet, config, step: int) -> tuple[ImageSet, int]:
    """The images for the crops of a step, and the side of these crops, pixels.

    Where crops have grown, smaller images are left out; if that were more than half of them, the
    crops grow less.
    """
    wanted = config.crop_size * config.crop_stage(step).factor
    if wanted == config.crop_size:
        return image_set, wanted
    sides = [min(_sides(image, config.crop_shape)) for image in image_set.images]
    middle = int(np.median(sides)) // config.side_multiple * config.side_multiple
    size = min(wanted, middle)
    if size < wanted:
        log.warning(
            "%s: crops grow to %s only, not %s; half of the images are smaller than that.",
            image_set.name,
            _by((size, size)),
            _by((wanted, wanted)),
        )
    return image_set.only(lambda image: min(_sides(image, config.crop_shape)) >= size), size


def inside_edges(size: int, config, number: int | tf.Tensor) -> tf.Tensor:
    """(size, size, 1) float32 of image `number`: 0 on the right and at the bottom of some crops.

    Half of the crops end before their right edge, half before their lower one, by 1 to 31 pixels:
    what may lack to a multiple of 32, the U-Net's.
    """
    seed = streams.fold(streams.image_seed(config.seed, number), TensorStream.EDGES)
    most = config.side_multiple - 1
    hidden = tf.random.stateless_uniform((2,), seed, -most, most + 1, tf.int32)
    ends = size - tf.maximum(hidden, 0)
    rows, columns = (tf.cast(tf.range(size) < ends[i], tf.float32) for i in range(2))
    return rows[:, None, None] * columns[None, :, None]


def corrupt(
    clean: tf.Tensor,
    noise: noises.Noise,
    seed: int | tf.Tensor,
    number: int | tf.Tensor,
    *,
    second: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Noise for image `number` of run `seed`: ((H, W, C) noisy, scalar noise parameter).

    second: independent noise for the same image, for targets.
    """
    image_seed = streams.image_seed(seed, number)
    level_stream, noise_stream = (
        (TensorStream.TARGET_NOISE_LEVEL, TensorStream.TARGET_NOISE)
        if second
        else (TensorStream.NOISE_LEVEL, TensorStream.NOISE)
    )
    level = noise.draw_level(streams.fold(image_seed, level_stream))
    return noise.corrupt(clean, level, streams.fold(image_seed, noise_stream)), level


def evaluation_noise(
    clean: np.ndarray, noise: noises.Noise, seed: int, number: int
) -> tuple[np.ndarray, float]:
    """`corrupt` for evaluation, apart from all training draws: (float32 array, noise parameter)."""
    apart = streams.fold(tf.constant([seed, 0], tf.int32), TensorStream.EVALUATION)[0]
    noisy, level = corrupt(tf.constant(clean, tf.float32), noise, apart, number)
    return noisy.numpy(), float(level)


def load_images(config, data_dir: str | None, max_images: int | None) -> ImageSet:
    """The images of a configuration's training set."""
    return datasets.load(config.train_set, data_dir, max_images=max_images)


def usable_for_crops(image_set: ImageSet, config) -> ImageSet:
    """The images that are at least as large as the crop; logs how many are left out.

    Raises:
        ValueError: none is.
        ImageError: no image that is noisy already has the channels of the configuration.
    """
    crop = config.crop_shape
    large = image_set.only(lambda image: all(a >= b for a, b in zip(_sides(image, crop), crop)))
    if not len(large):
        largest = max((_sides(image, crop) for image in image_set.images), key=min)
        raise ValueError(
            f"{_crop_flags(config)}: crops of {_by(crop)} are larger than every image of "
            f"{image_set.name}; the largest is {_by(largest)}."
        )
    if len(large) < len(image_set):
        log.warning(
            "%s: %d of %d images are smaller than the crop of %s and left out.",
            image_set.name,
            len(image_set) - len(large),
            len(image_set),
            _by(crop),
        )
    return of_channels(large, config.channels) if config.noise.is_none else large


def _sides(image: np.ndarray, crop: Sequence[int]) -> tuple[int, ...]:
    """Those sides of an array (.., H, W, C) that a crop cuts."""
    return image.shape[-1 - len(crop) : -1]


def _crop_flags(config) -> str:
    depth = f"crop_depth={config.crop_shape[0]}, " if len(config.crop_shape) == 3 else ""
    return f"{depth}crop_size={config.crop_size}"


def _by(sides: Sequence[int]) -> str:
    return "x".join(map(str, sides))


def of_channels(image_set: ImageSet, channels: int) -> ImageSet:
    """The images with so many channels, alpha apart; names the others in the log.

    Images that are noisy already can't be converted: the mean of three channels has another noise
    than each of them, and three times the same noise is no colour.

    Raises:
        ImageError: no image has them.
    """

    def fits(image):
        colours = {1: 1, 2: 1, 3: 3, 4: 3}.get(image.shape[-1])
        return channels in (colours, image.shape[-1])

    fitting = image_set.only(fits)
    others = [n for n, image in zip(image_set.names, image_set.images) if not fits(image)]
    if not len(fitting):
        present = image_set.images[0].shape[-1]
        colours = {2: 1, 4: 3}.get(present, present)  # without alpha
        raise ImageError(
            f"{others[0]}: {present} channels, expected {channels}; set --channels={colours}."
        )
    if others:
        named = ", ".join(others[:NAMED_AT_MOST])
        more = f" and {len(others) - NAMED_AT_MOST} more" if len(others) > NAMED_AT_MOST else ""
        log.warning(
            "%s: %d of %d images do not have %d channel%s and are left out: %s%s.",
            image_set.name,
            len(others),
            len(image_set),
            channels,
            "s" * (channels > 1),
            named,
            more,
        )
    return fitting


@functools.lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    return streams.shuffling_generator(seed, epoch).permutation(count)


def draw_crop(
    images: Sequence[np.ndarray], config, number: int, shape: Sequence[int] | None = None
) -> np.ndarray:
    """Crop `number` of the run: (*shape, C) float32 in [0, 1].

    Of (K, H, W, C), K acquisitions of a scene, it cuts the same crop from all.

    shape: sides of the crop, pixels; by default config.crop_shape.
    """
    number, shape = int(number), shape or config.crop_shape
    epoch, position = divmod(number, len(images))
    image = images[_permutation(config.seed, epoch, len(images))[position]]
    rng = streams.generator(ArrayStream.CROP, config.seed, number)
    starts = [int(rng.integers(a - b + 1)) for a, b in zip(_sides(image, shape), shape)]
    # Channels are converted here, crop by crop: a second copy of all images might not fit.
    # K, if there is one, then the cut sides, then the channels.
    index = (..., *(slice(a, a + b) for a, b in zip(starts, shape)), slice(None))
    crop = pixels.to_channels(image[index], config.channels, config.grey)
    return pixels.to_unit(np.ascontiguousarray(crop), config.white_level)


def turned(crop: np.ndarray, config, number: int) -> np.ndarray:
    """Crop `number` (..., H, W, C) turned and mirrored at random, if the configuration says so."""
    ways = pixels.ORIENTATIONS if config.augment else [(0, False)]
    return oriented(crop, ways, ArrayStream.ORIENTATION, config.seed, number)


def oriented(
    crop: np.ndarray,
    ways: Sequence[tuple[int, bool]],
    stream: ArrayStream,
    seed: int,
    number: int,
) -> np.ndarray:
    """Crop `number` of run `seed`, turned and mirrored in one of some ways, of pixels.orient."""
    way = ways[int(streams.generator(stream, seed, int(number)).integers(len(ways)))]
    return np.ascontiguousarray(pixels.orient(crop, *way))
