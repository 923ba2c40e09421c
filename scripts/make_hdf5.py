"""Writes the training file of Laine et al. 2019 from a folder of images.

python -m scripts.make_hdf5 --input=ILSVRC2012_val --output=imagenet_val.h5

Keeps images with both sides from --min_size to --max_size (256 and 512, the original's; of
ImageNet's validation set that leaves 44,328). Grey ones
become colour, alpha is dropped. Layout: `images`, variable-length uint8, (C, H, W) flattened;
`shapes`, int32 (n, 3) = C, H, W.
"""

import sys
import time

import h5py
import numpy as np
from absl import flags as absl_flags

from common import files, flags, images

FLAGS = flags.FLAGS


def usable(paths, min_size, max_size, count):
    """Yields (H, W, 3) uint8 images within the sizes; counts the reasons for leaving others out."""
    for path in paths:
        try:
            image = images.read_one(path)
            if image.dtype != np.uint8:
                raise images.ImageError(f"{path}: {image.dtype}, expected 8 bits.")
            image = images.to_channels(image, 3)
        except images.ImageError as error:
            print(f"{error} Skipped.", file=sys.stderr)
            count["bad"] += 1
            continue
        if min_size <= min(image.shape[:2]) and max(image.shape[:2]) <= max_size:
            yield image
        else:
            count["of another size"] += 1


def write(path, pictures, *, show=print):
    """Writes images as they come, whole or not at all; returns how many.

    Raises:
        ValueError: there was none.
    """
    shapes, shown = [], time.monotonic()
    with files.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        stored = file.create_dataset(
            "images", (0,), maxshape=(None,), dtype=h5py.vlen_dtype(np.uint8), chunks=(256,)
        )
        for picture in pictures:
            planes = picture.transpose(2, 0, 1)
            stored.resize((len(shapes) + 1,))
            stored[len(shapes)] = planes.ravel()
            shapes.append(planes.shape)
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                show(f"{len(shapes)} images")
        if not shapes:
            raise ValueError("no image of that size.")
        file["shapes"] = np.array(shapes, np.int32)
    return len(shapes)


def run():
    flags.require("input", "output")
    if FLAGS.min_size > FLAGS.max_size:
        raise ValueError(f"min_size={FLAGS.min_size}: more than max_size={FLAGS.max_size}.")
    paths = [path for pattern in FLAGS.input for path in images.list_files(pattern)]
    count = {"of another size": 0, "bad": 0}
    pictures = usable(paths[: FLAGS.max_files], FLAGS.min_size, FLAGS.max_size, count)
    written = write(FLAGS.output, pictures)
    left_out = ", ".join(f"{number} {reason}" for reason, number in count.items())
    print(f"{FLAGS.output}: {written} images; left out: {left_out}.")
    if count["bad"]:
        raise SystemExit(1)


def define_flags():
    absl_flags.DEFINE_multi_string(
        "input", None, "Folder, glob or file; may be repeated. Required."
    )
    absl_flags.DEFINE_string("output", None, "The .h5 file to write. Required.")
    absl_flags.DEFINE_integer("min_size", 256, "Shortest side allowed, pixels.")
    absl_flags.DEFINE_integer("max_size", 512, "Longest side allowed, pixels.")
    absl_flags.DEFINE_integer("max_files", None, "Look at the first so many files only [all].", 1)
    absl_flags.DEFINE_bool("debug", False, "Show where in the code an error came from.")


def main():
    flags.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
