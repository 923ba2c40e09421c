"""Sets of images by name, folder, glob, HDF5 or TFRecord file, held in memory once, as stored."""

import collections
import dataclasses
import hashlib
import importlib.resources
import os
import pathlib

import h5py
import numpy as np
from absl import logging

from common import images

# Under the data folder, laid out as distributed; scripts/download_data.py fetches them.
NAMED = {
    "kodak": "kodak/*.png",
    "bsd300": "BSDS300/images/test/*.jpg",
    "bsd300_train": "BSDS300/images/train/*.jpg",
    "bsd68": "BSD68/*.png",
    "set12": "Set12/*.png",
    "set14": "Set14/*.png",
}

# Photographs in scikit-image's wheel: to train on, and held back to look at. No download.
SAMPLE = {
    "train": ("coffee", "rocket", "hubble_deep_field", "motorcycle_left", "ihc", "retina"),
    "held_back": ("astronaut", "chelsea"),
}

MIN_LIKENESS = 0.3  # of two acquisitions of a scene, see load_pairs

# How often evaluation repeats a set with fresh noise: about 300 images, as Laine et al. 2019 did.
REPEATS = {"kodak": 10, "bsd300": 3, "set14": 20}


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """images: list of (H, W, C) arrays as stored; names: a name each, for messages and files."""

    name: str
    images: list
    names: list

    def __len__(self):
        return len(self.images)

    def fingerprint(self):
        """A short hash of names, shapes and types: to notice that a folder has changed."""
        told = [(n, i.shape, str(i.dtype)) for n, i in zip(self.names, self.images)]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    def first(self, count):
        """The subset of the first `count` images, all of them for None."""
        return dataclasses.replace(self, images=self.images[:count], names=self.names[:count])

    def each(self, change):
        """The same set with change(image) for every image."""
        return dataclasses.replace(self, images=[change(image) for image in self.images])

    def only(self, keep):
        """The subset for which keep(image) is true."""
        pairs = [(i, n) for i, n in zip(self.images, self.names) if keep(i)]
        return dataclasses.replace(self, images=[i for i, _ in pairs], names=[n for _, n in pairs])


def load(name, data_dir=None, *, held_back=False, max_images=None):
    """Loads a set of images.

    Args:
        name: "sample", "phantoms", a name in `NAMED`, a folder, a glob, an image file, an .h5 or
            .hdf5 file in the layout of Laine et al. 2019, or a .tfrecords file in that of Lehtinen
            et al. 2018.
        data_dir: where the named sets lie; default $N2X_DATA, or else ./datasets.
        held_back: of "sample" and "phantoms", the images that training does not see.
        max_images: at most so many, the first ones.

    Returns:
        ImageSet. Files that can't be read are named, skipped and counted in the log.

    Raises:
        images.ImageError: nothing there, or all of it bad.
    """
    path = pathlib.Path(os.path.expanduser(name))
    if name == "sample":
        loaded = _load_sample("held_back" if held_back else "train")
    elif name == "phantoms":
        from common import phantoms  # here, because few need it

        made = phantoms.make("held_back" if held_back else "train")
        loaded = ImageSet(name, made, [f"{i:03d}" for i in range(len(made))])
    elif name in NAMED:
        loaded = _load_files(name, _named_pattern(name, data_dir), max_images)
    elif path.suffix.lower() in (".h5", ".hdf5"):
        loaded = _load_hdf5(path, max_images)
    elif path.suffix.lower() in (".tfrecords", ".tfrecord"):
        from common import tfrecords  # here, because it imports TensorFlow

        loaded = collect(name, tfrecords.read(path), max_images)
    else:
        loaded = _load_files(name, name, max_images)
    return loaded.first(max_images)


def load_pairs(folder, *, max_images=None):
    """Loads scenes that were acquired more than once.

    Args:
        folder: with a sub-folder for each scene, of files of one size; or with a stack for each,
            its pages the acquisitions (TIFF, or NPY of (K, H, W) or (K, H, W, C)).
        max_images: at most so many scenes, the first ones.

    Returns:
        ImageSet of (K, H, W, C) arrays, K acquisitions of a scene, 2 or more. Scenes with a lone
        acquisition, of several sizes, types or channels, or of stacks with more axes than one, are
        named, skipped and counted; scenes whose acquisitions do not resemble each other are named.

    Raises:
        images.ImageError: no folder, or no usable scene in it.
    """
    root = pathlib.Path(os.path.expanduser(folder))
    if not root.is_dir():
        raise images.ImageError(f"{folder}: no such folder.")
    scenes = sorted(path for path in root.iterdir() if path.is_dir())

    def read_each():
        for path in images.find_files(root) if scenes else ():
            message = f"{path}: a lone file beside sub-folders; put it into its scene's."
            yield path.stem, images.ImageError(message)
        for scene in scenes or images.list_files(folder):
            try:
                yield scene.stem, _read_scene(scene)
            except images.ImageError as error:
                yield scene.stem, error

    return collect(str(folder), read_each(), max_images)


def _read_scene(path):
    """(K, H, W, C) of the files of a folder, or of the pages of a stack."""
    paths = images.list_files(str(path))
    pages = []
    for stack in paths:
        array, axes, _ = images.load(stack)
        counted = "".join(a for a, n in zip(axes, array.shape) if a not in "YXS" and n > 1)
        if len(counted) > 1:
            raise images.ImageError(
                f"{stack}: axes {counted} besides Y and X; which of them counts the acquisitions "
                "is not said. Save a stack of one such axis for each scene."
            )
        pages += [(stack, page) for page in images.as_pages(array, axes)]
    if len(pages) == 1:
        raise images.ImageError(f"{pages[0][0]}: a lone acquisition; a scene needs two or more.")
    (first_path, first), *others = pages
    for other_path, page in others:
        if (page.shape, page.dtype) != (first.shape, first.dtype):
            raise images.ImageError(
                f"{other_path}: {page.shape} {page.dtype}, but {first_path} is {first.shape} "
                f"{first.dtype}; acquisitions of a scene must be alike."
            )
    if (likeness := _likeness(first, others[0][1])) < MIN_LIKENESS:
        logging.warning(
            "%s: its acquisitions do not resemble each other (correlation %.2f when blurred). "
            "A sub-folder, or a stack, must hold one scene.",
            path,
            likeness,
        )
    return np.stack([page for _, page in pages])


def _likeness(a, b):
    """Correlation of two (H, W, C) images of which squares of 8x8 pixels are averaged."""
    blurred = []
    for image in (a, b):
        height, width = (side // 8 * 8 for side in image.shape[:2])
        if 0 in (height, width):
            return 1.0
        squares = image[:height, :width].mean(axis=-1).reshape(height // 8, 8, width // 8, 8)
        blurred.append(squares.mean(axis=(1, 3)).ravel())
    if min(np.ptp(values) for values in blurred) == 0:
        return 1.0
    return float(np.corrcoef(*blurred)[0, 1])


def default_data_dir():
    return os.environ.get("N2X_DATA", "datasets")


def _named_pattern(name, data_dir):
    root = pathlib.Path(data_dir or default_data_dir())
    folder = (root / NAMED[name]).parent
    if not folder.is_dir():
        raise images.ImageError(
            f"{name}: no folder {folder}. Name its parent with --data_dir or N2X_DATA; "
            "`python -m scripts.download_data` fetches kodak, bsd300 and set14."
        )
    return str(root / NAMED[name])


def _load_sample(part):
    folder = importlib.resources.files("skimage") / "data"
    found = []
    for name in SAMPLE[part]:
        (file,) = (f for f in folder.iterdir() if f.name in (f"{name}.png", f"{name}.jpg"))
        with importlib.resources.as_file(file) as path:
            found.append(images.to_channels(images.read_one(path), 3))
    return ImageSet("sample", found, list(SAMPLE[part]))


def _load_files(name, pattern, max_images):
    def read_each():
        for path in images.list_files(pattern):
            try:
                pages = images.read(path)
            except images.ImageError as error:
                yield path.name, error
                continue
            for number, page in enumerate(pages):
                yield (path.stem if len(pages) == 1 else f"{path.stem}-{number:04d}"), page

    return collect(name, read_each(), max_images)


def _load_hdf5(path, max_images):
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise images.ImageError(f"{path}: not readable as HDF5 ({error}).") from error
    with file:
        flat, shapes = (file.get(name) for name in ("images", "shapes"))
        if not (isinstance(flat, h5py.Dataset) and isinstance(shapes, h5py.Dataset)):
            raise images.ImageError(
                f"{path}: expected data sets 'images' and 'shapes', found {sorted(file)}; "
                "scripts/make_hdf5.py writes such files."
            )
        if shapes.ndim != 2 or shapes.shape[1] != 3 or flat.shape != shapes.shape[:1]:
            raise images.ImageError(
                f"{path}: shapes is {shapes.shape}, images {flat.shape}; expected (n, 3) and (n,)."
            )

        def read_each():
            for i in range(len(flat)):
                try:
                    yield f"{i:06d}", from_planes(flat[i], shapes[i])
                except (OSError, ValueError, RuntimeError, TypeError) as error:
                    yield f"{i:06d}", images.ImageError(f"{path}: image {i}: {error}")

        return collect(str(path), read_each(), max_images)


def from_planes(flat, shape):
    """Flattened (C, H, W) uint8 -> (H, W, C).

    Raises:
        ValueError: not uint8, or not as many values as the shape says.
    """
    flat, shape = np.asarray(flat), [int(n) for n in shape]
    if flat.dtype != np.uint8 or len(shape) != 3 or min(shape) < 1 or flat.size != np.prod(shape):
        raise ValueError(f"{flat.size} values of {flat.dtype} for shape {shape} (C, H, W), uint8.")
    return np.ascontiguousarray(flat.reshape(shape).transpose(1, 2, 0))


def collect(name, items, max_images):
    """Gathers (name, image or error) pairs; says which were bad and how many."""
    good, names, errors, seen = [], [], [], collections.Counter()
    for item_name, item in items:
        if isinstance(item, Exception):
            logging.warning("%s Skipped.", item)
            errors.append(item)
            continue
        seen[item_name] += 1
        good.append(item)
        # a.png and a.jpg are both called a: names become file names.
        names.append(item_name if seen[item_name] == 1 else f"{item_name}~{seen[item_name]}")
        if max_images is not None and len(good) == max_images:
            break
    if not good:
        first = f" First: {errors[0]}" if errors else ""
        raise images.ImageError(f"{name}: no usable image, {len(errors)} bad.{first}")
    if errors:
        logging.warning("%s: %d bad of %d, skipped.", name, len(errors), len(errors) + len(good))
    return ImageSet(name, good, names)
