"""TFRecord files in the layout of Lehtinen et al. 2018: `shape` (C, H, W), `data` (uint8 bytes)."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from common.data import image_sets
from common.files.errors import ImageError

FRAMING = 8 + 4 + 4  # bytes that a file holds for each record beside its content: length, checksums


def read(path: str | pathlib.Path) -> Iterator[tuple[str, np.ndarray | ImageError]]:
    """Yield (name, image or error) for each record; images are (H, W, C) uint8.

    Records after a damaged one can't be located, so one ImageError stands for the rest of the file.

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
    # TensorFlow reports no error for a file that ends within the length field of a record.
    if left := path.stat().st_size - consumed:
        message = f"{path}: damaged after {count} whole records ({left} bytes left over)."
        yield "", ImageError(message)


def _plain(message):
    """The first line of an error's message, without TensorFlow's marks."""
    return re.sub(r"\{\{.*?\}\} ?", "", message.splitlines()[0])[:200]
