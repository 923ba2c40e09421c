"""The one list of random streams: every draw of the data comes from (seed, number) and a name here.

So no two draws of an image are alike, and a draw depends on nothing that was drawn before it. The
numbers are part of every trained model's history: tests/common/data/test_streams.py pins them.
"""

from __future__ import annotations

import enum
import typing

import numpy as np

if typing.TYPE_CHECKING:
    import tensorflow as tf


class TensorStream(enum.IntEnum):
    """What a draw in the tf.data graph is for; folded into (seed, number)."""

    NOISE_LEVEL = 0
    NOISE = 1
    TARGET_NOISE = 2  # of a second noisy version, for targets
    TARGET_NOISE_LEVEL = 3
    EVALUATION = 4  # folded in before the others: apart from all training
    EDGES = 5
    N2V_BLIND_SPOTS = 16
    N2V_STATISTICS = 17  # noise under which mean and deviation of the training set are measured
    N2V_VALIDATION = 18
    N2V_FIXED_NOISE = 19
    SUPERRES_BLIND_SPOTS = 32


class MaskStream(enum.IntEnum):
    """What a draw for a crop's blind spots is for; folded into the seed of these."""

    SPOTS = 0
    VALUES = 1
    STRUCTURE = 2


class ArrayStream(enum.IntEnum):
    """What a draw by NumPy is for; its multiple of 2^32 is added to the seed.

    Streams of one number belong to different methods.
    """

    CROP = 0
    N2N_ACQUISITIONS = 1
    MRI_SAMPLES = 1
    MRI_EVALUATION = 2
    N2V_ORIENTATION = 4
    DEBLUR_KERNELS = 8
    DEBLUR_EVALUATION = 16
    SUPERRES_ORIENTATION = 32
    ORIENTATION = 64
    DBSN_DISTILLATION = 128


def generator(stream: ArrayStream, seed: int, number: int) -> np.random.Generator:
    """NumPy's generator for image `number` of run `seed`."""
    return np.random.Generator(np.random.Philox(key=[seed + (int(stream) << 32), int(number)]))


def shuffling_generator(seed: int, epoch: int) -> np.random.Generator:
    """NumPy's generator for the order of the images in an epoch."""
    return np.random.Generator(np.random.Philox([seed, epoch]))


def image_seed(seed: int, number: int | tf.Tensor) -> tf.Tensor:
    """(2,) int32 for TensorFlow's stateless draws, of image `number` of run `seed`."""
    import tensorflow as tf

    return tf.stack([tf.cast(seed, tf.int32), tf.cast(number, tf.int32)])


def fold(seed: tf.Tensor, stream: TensorStream | MaskStream) -> tf.Tensor:
    """The seed of one stream, (2,) int32, from that of an image."""
    import tensorflow as tf

    return tf.random.fold_in(seed, int(stream))
