"""Writes a training file for n2n_tf.mri from pictures of slices, or from volumes in NIfTI format.

noise2x pack mri --input=slices --output=train.h5
noise2x pack mri --input='IXI-T1/*.nii.gz' --output=train.h5             # needs the extra `mri`

As in the original, the values of a volume are scaled so that their maximum becomes 255 (--white),
and slices 25 to 124 of each are taken (--slices); it trains on 50 subjects and validates on 10:
name them, a line each, in files for --subjects, and run the program once for each file. Pictures of
8 bits keep their values. Slices are cropped or padded with black around their middle to --size;
nothing is interpolated. A slice is left out if the share of its pixels that are brighter than a
twentieth of the volume's maximum is less than --min_content. The file has the format of
`noise2x pack hdf5`, with one channel.
"""

import pathlib
import sys
import warnings

import numpy as np
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import atomic, image_files, listing, pixels
from common.files.errors import ImageError
from scripts.data import collecting, make_hdf5

FLAGS = flags.FLAGS
NIFTI = (".nii", ".nii.gz")


def read_nifti(path):
    """Reads a NIfTI volume: (X, Y, Z) float32; a single slice has Z = 1.

    Raises:
        ImageError: nibabel is not installed, or the file is damaged, does not have three axes, or
            has values that are not real numbers or not finite.
    """
    try:
        import nibabel
    except ImportError as error:
        raise ImageError(f"{path}: NIfTI needs nibabel; pip install 'noise2x[mri]'.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = nibabel.load(path)
            dtype, shape = stored.get_data_dtype(), stored.shape
            if dtype.kind not in "iuf" or dtype.names:
                raise ImageError(f"{path}: {dtype} values; expected real numbers.")
            while len(shape) > 3 and shape[-1] == 1:
                shape = shape[:-1]
            shape = shape + (1,) * (3 - len(shape))
            if len(shape) != 3 or 0 in shape:
                raise ImageError(f"{path}: axes of {stored.shape}; expected a volume, X Y Z.")
            volume = np.asarray(stored.dataobj, np.float32).reshape(shape)
    except ImageError:
        raise
    except Exception as error:  # a damaged file makes nibabel and gzip raise nearly anything
        message = f"{path}: not readable as NIfTI ({image_files.short(error)})."
        raise ImageError(message) from error
    if not np.isfinite(volume).all():
        raise ImageError(f"{path}: NaN or infinite values; replace them first.")
    return volume


def slices_of(path, axis, white="maximum", numbers=None):
    """Reads the slices of a file: (slices, H, W) uint8.

    Values of 8 bits stay as stored; others are scaled so that their maximum, or their 99.9th
    percentile, becomes 255.

    Args:
        path: of a picture, a stack or a NIfTI volume.
        axis: of a volume, which counts the slices, 0 to 2.
        white: "maximum" or "percentile".
        numbers: (first, last) slice of a volume, counted from 0; None for all.

    Raises:
        ImageError: the file is not readable, has colours, or is black everywhere.
    """
    if path.name.lower().endswith(NIFTI):
        # NIfTI stores (X, Y, Z). The rows of an axial slice follow Y, from front to back.
        slices = np.flip(np.moveaxis(read_nifti(path), axis, 0).swapaxes(1, 2), axis=1)
        chosen = slices if numbers is None else slices[numbers[0] : numbers[1] + 1]
        if not len(chosen):
            raise ImageError(f"{path}: {len(slices)} slices; none of --slices is there.")
    else:
        pages = image_files.read(path)
        if pages.shape[-1] > 2 and (pages[..., :1] != pages[..., :3]).any():
            raise ImageError(f"{path}: colour; expected grey slices.")
        chosen = slices = pages[..., 0]
    if slices.dtype == np.uint8:
        return chosen
    # Of the whole volume, as in the original, also where some slices are taken.
    level = float(slices.max() if white == "maximum" else np.quantile(slices, 0.999))
    if level <= 0:
        raise ImageError(f"{path}: no brightness above 0.")
    return pixels.from_unit(np.clip(chosen / level, 0.0, 1.0), np.uint8)


def fit(image, size):
    """Crops an image (H, W), or pads it with 0, around its middle: (size, size)."""
    for axis in (0, 1):
        excess = image.shape[axis] - size
        if excess > 0:
            image = image.take(range(excess // 2, excess // 2 + size), axis=axis)
        elif excess < 0:
            before = -excess // 2
            widths = [(0, 0), (0, 0)]
            widths[axis] = (before, -excess - before)
            image = np.pad(image, widths)
    return image


def usable(paths, count):
    """Yields slices (size, size, 1) uint8.

    Args:
        paths: of the files.
        count: dict in which the files and slices that are left out are counted, by reason.
    """
    for path in paths:
        try:
            slices = slices_of(path, FLAGS.axis, FLAGS.white, _numbers(FLAGS.slices))
        except ImageError as error:
            print(f"{error} Skipped.", file=sys.stderr)
            count["bad files"] += 1
            continue
        bright = slices > slices.max() / 20
        for image, content in zip(slices, bright.mean(axis=(1, 2))):
            if content < FLAGS.min_content:
                count["nearly empty slices"] += 1
            else:
                yield fit(image, FLAGS.size)[..., None]


def _numbers(text):
    """(first, last) of "25-124"; None of "all"."""
    if text == "all":
        return None
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise ValueError(f"slices={text!r}: expected two numbers, as 25-124, or all.")
    return int(first), int(last)


def of_subjects(paths, listed):
    """The files whose names begin with a line of a file, IXI012 for IXI012-HH-1211-T1.nii.gz.

    Raises:
        ValueError: the file can't be read, or a line fits no file.
    """
    subjects = pathlib.Path(listed).expanduser().read_text().split()
    chosen = []
    for subject in subjects:
        own = [path for path in paths if path.name.startswith(subject)]
        if not own:
            raise ValueError(f"subjects={listed}: no file begins with {subject}.")
        chosen += own
    return chosen


def find(pattern):
    """Paths of the pictures and NIfTI volumes in a folder, or of the files that a glob matches."""
    path = pathlib.Path(pattern).expanduser()
    if path.is_dir():
        volumes = [p for p in atomic.glob(path / "*") if p.name.lower().endswith(NIFTI)]
        if volumes:
            return volumes + listing.find_files(path)
    return listing.list_files(pattern)


def run():
    """Collects the slices of --input in --output; exits with 1 if a file was bad."""
    flags.require("input", "output")
    count = {"nearly empty slices": 0, "bad files": 0}
    _numbers(FLAGS.slices)
    paths = [path for pattern in FLAGS.input for path in find(pattern)]
    if FLAGS.subjects:
        paths = of_subjects(paths, FLAGS.subjects)
    written = make_hdf5.write(FLAGS.output, collecting.shown(usable(paths, count)))
    left_out = ", ".join(f"{number} {reason}" for reason, number in count.items())
    print(f"{FLAGS.output}: {written} slices of {len(paths)} files; left out: {left_out}.")
    if count["bad files"]:
        raise SystemExit(1)


def define_flags():
    """Defines the flags of this program."""
    collecting.define_files()
    absl_flags.DEFINE_integer("size", 256, "Side of the slices, pixels [256].", 2)
    absl_flags.DEFINE_integer(
        "axis",
        2,
        "Axis of a volume whose positions are the slices: 0 (X), 1 (Y) or 2 (Z) [2].",
        0,
        2,
    )
    absl_flags.DEFINE_enum(
        "white",
        "maximum",
        ["maximum", "percentile"],
        "Value of a volume that becomes 255: its maximum, or its 99.9th percentile [maximum].",
    )
    absl_flags.DEFINE_string(
        "slices", "25-124", "First and last slice of a volume, counted from 0, or all [25-124]."
    )
    absl_flags.DEFINE_string(
        "subjects", None, "File that names the subjects, a line each; files begin so [all]."
    )
    absl_flags.DEFINE_float(
        "min_content", 0.1, "Smallest share of bright pixels in a slice, 0 to 1 [0.1].", 0, 1
    )


def main():
    """Runs `noise2x pack mri`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
