"""Writes a training file in the TFRecord format of Lehtinen et al. 2018 from image files.

noise2x pack tfrecords --input=ILSVRC2012_val --output=imagenet_val.tfrecords

Grey images become colour images, and alpha channels are dropped. Sub-folders are searched, and the
order of the files is random, always the same, as in the original. The file has one record for each
image, with two features: `shape`, int64 (C, H, W), and `data`, the uint8 values in that order.
"""

import functools

from common.commands import running
from common.files import atomic
from scripts.data import collecting


def write(path, pictures):
    """Writes a file of images, completely or not at all.

    Args:
        path: of the file.
        pictures: iterable of (H, W, C) uint8 images.

    Returns:
        number of images.

    Raises:
        ValueError: there was no image.
        OSError: the file can't be written.
    """
    import tensorflow as tf

    written = 0
    try:
        with atomic.replacing(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
            for picture in pictures:
                writer.write(_serialized(picture.transpose(2, 0, 1)))
                written += 1
            if not written:
                raise ValueError("no usable image.")
    except tf.errors.OpError as error:  # a full disk, a folder that can't be written
        raise OSError(f"{path}: {error.message.splitlines()[0]}") from error
    return written


def _serialized(planes):
    """The record of an image (C, H, W) uint8, as bytes."""
    import tensorflow as tf

    shape = tf.train.Feature(int64_list=tf.train.Int64List(value=planes.shape))
    data = tf.train.Feature(bytes_list=tf.train.BytesList(value=[planes.tobytes()]))
    features = tf.train.Features(feature={"shape": shape, "data": data})
    return tf.train.Example(features=features).SerializeToString()


def main():
    """Runs `noise2x pack tfrecords`."""
    define = functools.partial(collecting.define_flags, min_size=1, max_size=None)
    running.run(lambda: collecting.run(write), define, __doc__)


if __name__ == "__main__":
    main()
