"""Writes a training file in the HDF5 format of Laine et al. 2019 from image files.

noise2x pack hdf5 --input=ILSVRC2012_val --output=imagenet_val.h5

Images are kept if both sides are between --min_size and --max_size pixels. The defaults are those
of the original, which keeps 44,328 images of ImageNet's validation set. Grey images become colour
images, and alpha channels are dropped. Sub-folders are searched, and the order of the files is
random, always the same, as in the original. The file has two arrays: `images`, variable-length
uint8, each (C, H, W) flattened, and `shapes`, int32 (n, 3), the C, H and W of each image.
"""

import functools

import h5py
import numpy as np

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
    """
    shapes = []
    with atomic.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        stored = file.create_dataset(
            "images", (0,), maxshape=(None,), dtype=h5py.vlen_dtype(np.uint8), chunks=(256,)
        )
        for picture in pictures:
            planes = picture.transpose(2, 0, 1)
            stored.resize((len(shapes) + 1,))
            stored[len(shapes)] = planes.ravel()
            shapes.append(planes.shape)
        if not shapes:
            raise ValueError("no usable image.")
        file["shapes"] = np.array(shapes, np.int32)
    return len(shapes)


def main():
    """Runs `noise2x pack hdf5`."""
    define = functools.partial(collecting.define_flags, min_size=256, max_size=512)
    running.run(lambda: collecting.run(write), define, __doc__)


if __name__ == "__main__":
    main()
