"""TFRecord files laid out as Lehtinen et al. 2018 do: `shape` (C, H, W), `data` (uint8 bytes)."""

import pathlib

import numpy as np
import tensorflow as tf

from common import datasets, images


def read(path):
    """Yields (name, (H, W, C) uint8 image, or ImageError) for each record.

    What follows a damaged record can't be found: it ends the file, as one ImageError.

    Raises:
        images.ImageError: no such file.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise images.ImageError(f"{path}: no such file.")
    features = {
        "shape": tf.io.FixedLenFeature([3], tf.int64),
        "data": tf.io.FixedLenFeature([], tf.string),
    }
    number = 0
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            name = f"{number:06d}"
            try:
                example = tf.io.parse_single_example(record, features)
                flat = np.frombuffer(example["data"].numpy(), np.uint8)
                yield name, datasets.from_planes(flat, example["shape"].numpy())
            except (tf.errors.InvalidArgumentError, ValueError) as error:
                message = str(error).splitlines()[0][:200]
                yield name, images.ImageError(f"{path}: record {number}: {message}")
    except tf.errors.OpError as error:
        message = error.message.splitlines()[0][:200]
        yield "", images.ImageError(f"{path}: damaged after record {number} ({message}).")
