"""TFRecord files laid out as Lehtinen et al. 2018 do: `shape` (C, H, W), `data` (uint8 bytes)."""

import pathlib
import re

import numpy as np
import tensorflow as tf

from common.data import image_sets
from common.files.errors import ImageError

FRAMING = 8 + 4 + 4  # bytes of a record besides its own: length, two checksums


def read(path):
    """Yields (name, (H, W, C) uint8 image, or ImageError) for each record.

    What follows a damaged record can't be found: it ends the file, as one ImageError.

    Raises:
        ImageError: no such file.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: no such file.")
    features = {
        "shape": tf.io.FixedLenFeature([3], tf.int64),
        "data": tf.io.FixedLenFeature([], tf.string),
    }
    count, consumed = 0, 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            name = f"{count:06d}"
            consumed += len(record) + FRAMING
            try:
                example = tf.io.parse_single_example(record, features)
                flat = np.frombuffer(example["data"].numpy(), np.uint8)
                yield name, image_sets.from_planes(flat, example["shape"].numpy())
            except (tf.errors.InvalidArgumentError, ValueError) as error:
                message = _plain(str(error))
                yield name, ImageError(f"{path}: record {count}: {message}")
            count += 1
    except tf.errors.OpError as error:
        message = _plain(error.message)
        yield (
            "",
            ImageError(f"{path}: damaged after {count} whole records ({message})."),
        )
        return
    # A file that ends within the head of a record passes for one that ends before it.
    if left := path.stat().st_size - consumed:
        message = f"{path}: damaged after {count} whole records ({left} bytes are none)."
        yield "", ImageError(message)


def _plain(message):
    """First line of an error without TensorFlow's marks."""
    return re.sub(r"\{\{.*?\}\} ?", "", message.splitlines()[0])[:200]
