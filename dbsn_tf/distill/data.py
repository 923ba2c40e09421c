"""Training data of a distillation: clean images with the noise that the teacher has learned.

Even crops are clean ones with noise drawn from the noise level function of a noisy image, chosen at
random; their targets are the clean crops. Odd crops are noisy ones; their targets are what the
teacher makes of them.
"""

import dataclasses
import hashlib

import numpy as np
import tensorflow as tf

from common import progress
from common.data import datasets, image_sets, pipeline, streams
from common.data.streams import ArrayStream
from common.files import pixels
from common.restoring import prediction
from common.training import runs
from dbsn_tf.method import METHOD as DBSN

STRENGTHS = (0.9, 1.1)  # the drawn noise is the learned one times a factor between these
VALUES = np.linspace(0.0, 1.0, 65)  # clean values at which a noise level function is held


@dataclasses.dataclass(frozen=True)
class TeacherResult:
    """What the teacher makes of a noisy image, and the noise that it estimates there.

    noisy, restored: (H, W, C) float32 on [0, 1].
    roots: (len(VALUES), C, C) of its noise at VALUES, see Denoiser.noise_roots.
    """

    noisy: np.ndarray
    restored: np.ndarray
    roots: np.ndarray


@dataclasses.dataclass(frozen=True)
class Unpaired(image_sets.ImageSet):
    """Clean images, and the teacher's results for the noisy ones.

    teacher_results: a TeacherResult for each noisy image.
    """

    teacher_results: tuple[TeacherResult, ...] = ()

    def fingerprint(self):
        """Also of the teacher's results: a resumed training needs the same ones."""
        described = hashlib.sha256(super().fingerprint().encode())
        for result in self.teacher_results:
            described.update(result.noisy.tobytes() + result.restored.tobytes())
        return described.hexdigest()[:16]


def load(images, config, data_dir=None):
    """Clean images together with the teacher's results for the noisy ones, an Unpaired.

    Args:
        images: ImageSet of clean images.
        config: of dbsn_tf.distill.configs, completed.
        data_dir: folder of the named sets.

    Raises:
        ValueError: no teacher or no noisy set, or one that shares an image with the clean set.
    """
    teacher = load_teacher(config)
    noisy_set = datasets.load(config.noisy_set, data_dir)
    if config.noise.is_none:  # an average of the channels would be noise of another strength
        noisy_set = pipeline.of_channels(noisy_set, config.channels)
    refuse_shared(images, noisy_set)
    results = tuple(_teacher_results(teacher, noisy_set, config))
    return Unpaired(images.name, images.images, images.names, results)


def training_batches(images, config, start):
    """Batches (x, y) from number `start` on; y has `target` and `weight` (N, 1, 1, 1).

    images: an Unpaired.
    """
    results = images.teacher_results
    shape = (config.crop_size, config.crop_size, config.channels)

    def draw(number):
        rng = streams.generator(ArrayStream.DBSN_DISTILLATION, config.seed, number)
        result = results[rng.integers(len(results))]
        if number % 2:
            sides = result.noisy.shape[:2]
            top, left = (int(rng.integers(side - config.crop_size + 1)) for side in sides)
            part = np.s_[top : top + config.crop_size, left : left + config.crop_size]
            return result.noisy[part], result.restored[part], np.float32(config.noisy_weight)
        clean = pipeline.draw_crop(images.images, config, number)
        strength = rng.uniform(*STRENGTHS)
        noisy = clean + strength * _noise(clean, result.roots, rng)
        return noisy.astype(np.float32), clean, np.float32(1.0)

    def example(number):
        drawn = tf.numpy_function(draw, [number], [tf.float32] * 3, stateful=False)
        noisy, target = (tf.ensure_shape(x, shape) for x in drawn[:2])
        weight = tf.reshape(drawn[2], (1, 1, 1))
        x = {"noisy": noisy, "number": tf.cast(number, tf.float32)}
        return x, {"target": target, "weight": weight}

    return pipeline.numbered(example, config, start)


def _noise(clean, roots, rng):
    """Noise (H, W, C) whose covariance has the given roots at VALUES, linear between them."""
    drawn = rng.standard_normal(clean.shape)
    noise = np.zeros_like(drawn)
    for row, column in np.argwhere(roots.any(axis=0)):
        at_values = np.interp(clean[..., row], VALUES, roots[:, row, column])
        noise[..., row] += at_values * drawn[..., column]
    return noise


def _teacher_results(teacher, noisy_set, config):
    """A TeacherResult for every noisy image that a crop fits into, a list."""
    results = []
    progress.say(f"Restoring {len(noisy_set)} noisy images by {config.teacher} ...")
    for number, image in enumerate(noisy_set.images):
        image = pixels.to_channels(image, config.channels, config.grey)
        noisy = pixels.to_unit(image, config.white_level)
        if min(noisy.shape[:2]) < config.crop_size:
            continue
        if not config.noise.is_none:
            # The training's stream, not that of evaluations: they may be of the same images.
            noisy, _ = pipeline.corrupt(tf.constant(noisy), config.noise, config.seed, number)
        noisy = np.asarray(noisy, np.float32)
        restored = prediction.restore(teacher, {"noisy": noisy})
        restored = np.asarray(restored["denoised"], np.float32)
        results.append(TeacherResult(noisy, restored, teacher.noise_roots(noisy, VALUES)))
    if not results:
        raise ValueError(
            f"noisy_set={config.noisy_set!r}: every image is smaller than the crop of "
            f"{config.crop_size} pixels."
        )
    return results


def load_teacher(config):
    """The D-BSN of --teacher.

    Raises:
        ValueError: none is named, or it has other channels or no variances yet.
    """
    for name in ("teacher", "noisy_set"):
        if not getattr(config, name):
            raise ValueError(f"--{name}=... is required.")
    try:
        teacher = DBSN.load(config.teacher)
    except runs.RunError as error:
        raise ValueError(f"teacher: {error}") from error
    if teacher.config.channels != config.channels:
        raise ValueError(
            f"teacher={config.teacher!r} restores images of {teacher.config.channels} channels; "
            f"this configuration has {config.channels}."
        )
    if str(teacher.config.noise) != str(config.noise):
        progress.say(
            f"Careful: the teacher was trained on noise={teacher.config.noise}, and the images of "
            f"noisy_set have noise={config.noise}."
        )
    if not teacher.predicts_std:
        raise ValueError(f"teacher={config.teacher!r} has only its first stage: --stage=all.")
    return teacher


def refuse_shared(clean_set, noisy_set):
    """Raises ValueError if the clean and the noisy set have an image in common."""
    clean = {_fingerprint(i): name for name, i in zip(clean_set.names, clean_set.images)}
    shared = [clean[key] for key in map(_fingerprint, noisy_set.images) if key in clean]
    if shared:
        raise ValueError(
            f"train_set and noisy_set share {len(shared)} images ({shared[0]}, ...): they are to "
            "be unpaired, of different scenes."
        )


def _fingerprint(image):
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() + str(image.shape)
