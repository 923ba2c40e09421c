"""Shared parts of the programs that write training files: they collect pictures into one file."""

import itertools
import sys
import time

import numpy as np
from absl import flags as absl_flags

from common.commands import flags
from common.files import image_files, listing, pixels
from common.files.errors import ImageError

FLAGS = flags.FLAGS
SEED = 0  # of the order of the files


def define_files():
    """Defines --input and --output of a program that makes one file of many."""
    absl_flags.DEFINE_multi_string(
        "input", None, "Files to collect: a folder, a glob or a file; may be repeated. Required."
    )
    absl_flags.DEFINE_string("output", None, "File to write. Required.")


def define_flags(min_size, max_size):
    """Defines the flags of a program that collects pictures of a range of sizes.

    min_size, max_size: defaults of the shortest and longest side, pixels; max_size None: no limit.
    """
    define_files()
    absl_flags.DEFINE_integer(
        "min_size",
        min_size,
        f"Leave out pictures with a shorter side than this, pixels [{min_size}].",
        1,
    )
    absl_flags.DEFINE_integer(
        "max_size",
        max_size,
        f"Leave out pictures with a longer side than this, pixels [{max_size or 'none'}].",
        1,
    )
    absl_flags.DEFINE_integer(
        "max_files", None, "Collect at most this many images, of those that are usable [all].", 1
    )
    absl_flags.DEFINE_bool("shuffle", True, "Collect the files in random order, always the same.")


def run(write):
    """Collects the usable pictures of --input in --output, and prints how many were left out.

    write: function of (path, pictures) that writes the file and returns the number of pictures.
    """
    flags.require("input", "output")
    max_size = FLAGS.max_size or sys.maxsize
    if FLAGS.min_size > max_size:
        raise ValueError(f"min_size={FLAGS.min_size}: more than max_size={max_size}.")
    inside = [listing.images_of(pattern, recursive=True) for pattern in FLAGS.input]
    paths = [file.path for files in inside for file in files]
    if FLAGS.shuffle:
        paths = [paths[i] for i in np.random.default_rng(SEED).permutation(len(paths))]
    count = {"of another size": 0, "bad": 0}
    pictures = itertools.islice(usable(paths, FLAGS.min_size, max_size, count), FLAGS.max_files)
    written = write(FLAGS.output, shown(pictures))
    left_out = ", ".join(f"{number} {reason}" for reason, number in count.items())
    print(f"{FLAGS.output}: {written} images; left out: {left_out}.")
    if count["bad"]:
        raise SystemExit(1)


def usable(paths, min_size, max_size, count):
    """Yields the images of files as (H, W, 3) uint8, if their sides are in the range.

    Args:
        paths: of the files.
        min_size, max_size: shortest and longest side allowed, pixels.
        count: dict in which the images that are left out are counted, by reason.
    """
    for path in paths:
        try:
            image = image_files.read_one(path)
            if image.dtype != np.uint8:
                raise ImageError(f"{path}: {image.dtype}, expected 8 bits.")
            image = pixels.to_channels(image, 3)
        except ImageError as error:
            print(f"{error} Skipped.", file=sys.stderr)
            count["bad"] += 1
            continue
        if min_size <= min(image.shape[:2]) and max(image.shape[:2]) <= max_size:
            yield image
        else:
            count["of another size"] += 1


def shown(items, *, show=print):
    """Yields the items, and prints every five seconds how many there were."""
    last = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last > 5:
            last = time.monotonic()
            show(f"{number} images", flush=True)
