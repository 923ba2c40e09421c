"""Writes the training file of Laine et al. 2019 from a folder of images.

python -m scripts.make_hdf5 --input=ILSVRC2012_val --output=imagenet_val.h5

Keeps images with both sides from --min_size to --max_size (256 and 512, the original's; of
ImageNet's validation set that leaves 44,328). Grey ones become colour, alpha is dropped. Layout:
`images`, variable-length uint8, (C, H, W) flattened; `shapes`, int32 (n, 3) = C, H, W.
"""

import functools

import h5py
import numpy as np

from common.commands import running
from common.files import atomic
from scripts.data import collecting


def write(path, pictures):
    """Writes (H, W, C) uint8 images as they come, whole or not at all; returns how many.

    Raises:
        ValueError: there was none.
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
    define = functools.partial(collecting.define_flags, min_size=256, max_size=512)
    running.run(lambda: collecting.run(write), define, __doc__)


if __name__ == "__main__":
    main()
