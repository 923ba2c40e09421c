"""Sets of images by name, folder, glob, HDF5 or TFRecord file, held in memory once, as stored."""

from __future__ import annotations

import importlib.resources
import os
import pathlib

from common.data import image_sets
from common.data.image_sets import ImageSet
from common.files import image_files, listing, pixels
from common.files.errors import ImageError

# Places of the named sets in the data folder, as their authors distribute them. `noise2x download`
# fetches kodak, bsd300 and set14.
NAMED = {
    "kodak": "kodak/*.png",
    "bsd300": "BSDS300/images/test/*.jpg",
    "bsd300_train": "BSDS300/images/train/*.jpg",
    "bsd68": "BSD68/*.png",
    "set12": "Set12/*.png",
    "set14": "Set14/*.png",
}


# Photographs in scikit-image's wheel, to train on and to look at afterwards. They need no download.
SAMPLE = {
    "train": ("coffee", "rocket", "hubble_deep_field", "motorcycle_left", "ihc", "retina"),
    "held_back": ("astronaut", "chelsea"),
}


# How often evaluation repeats a set, with new noise each time: about 300 images in all, as Laine et
# al. 2019 did.
REPEATS = {"kodak": 10, "bsd300": 3, "set14": 20}


def load(
    name: str,
    data_dir: str | None = None,
    *,
    held_back: bool = False,
    max_images: int | None = None,
) -> ImageSet:
    """Load a set of images.

    Args:
        name: "sample", "phantoms", a name in `NAMED`, a folder, a glob, an image file, an .h5 or
            .hdf5 file in the layout of Laine et al. 2019, or a .tfrecords file in that of Lehtinen
            et al. 2018.
        data_dir: folder of the named sets [$N2X_DATA or ./datasets].
        held_back: load the images of "sample" or "phantoms" that training does not see.
        max_images: load the first images only, at most this many.

    Returns:
        ImageSet of (H, W, C) arrays as stored. Files that can't be used are named, skipped and
        counted in the log.

    Raises:
        ImageError: no such set or files, or no usable image among them.
    """
    path = pathlib.Path(os.path.expanduser(name))
    if name == "sample":
        loaded = _load_sample("held_back" if held_back else "train")
    elif name == "phantoms":
        from common.data import phantoms  # here, because few need it

        slices = phantoms.make("held_back" if held_back else "train")
        loaded = ImageSet(name, slices, [f"{i:03d}" for i in range(len(slices))])
    elif name in NAMED:
        loaded = _load_files(name, _named_pattern(name, data_dir), max_images)
    elif path.suffix.lower() in (".h5", ".hdf5"):
        from common.data import hdf5  # here, because few need it

        loaded = hdf5.load(path, max_images)
    elif path.suffix.lower() in (".tfrecords", ".tfrecord"):
        from common.data import tfrecords  # here, because it imports TensorFlow

        loaded = image_sets.collect(name, tfrecords.read(path), max_images)
    else:
        loaded = _load_files(name, name, max_images)
    return loaded.first(max_images)


def default_data_dir() -> str:
    """The folder of the named sets if no flag names one: $N2X_DATA or ./datasets."""
    return os.environ.get("N2X_DATA", "datasets")


def _named_pattern(name, data_dir):
    root = pathlib.Path(data_dir or default_data_dir())
    folder = (root / NAMED[name]).parent
    if not folder.is_dir():
        raise ImageError(
            f"{name}: no folder {folder}. Name its parent with --data_dir or N2X_DATA; "
            "`noise2x download` fetches kodak, bsd300 and set14."
        )
    return str(root / NAMED[name])


def _load_sample(part):
    folder = importlib.resources.files("skimage") / "data"
    photographs = []
    for name in SAMPLE[part]:
        (file,) = (f for f in folder.iterdir() if f.name in (f"{name}.png", f"{name}.jpg"))
        with importlib.resources.as_file(file) as path:
            photographs.append(pixels.to_channels(image_files.read_one(path), 3))
    return ImageSet("sample", photographs, list(SAMPLE[part]))


def _load_files(name, pattern, max_images):
    def read_each():
        for path in listing.list_files(pattern):
            try:
                pages = image_files.read(path)
            except ImageError as error:
                yield path.name, error
                continue
            for number, page in enumerate(pages):
                yield (path.stem if len(pages) == 1 else f"{path.stem}-{number:04d}"), page

    return image_sets.collect(name, read_each(), max_images)
