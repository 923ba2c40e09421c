"""The data generator of juglab's n2v 0.3: it reads images and cuts patches from them."""

import pathlib

import numpy as np

from common.files import atomic, axis_letters, pixels, stacks
from common.files.errors import ImageError


def _usual_reader(dims):
    def read(path):
        array = stacks.read(path, dims).array
        return pixels.to_unit(array) if pathlib.Path(path).suffix.lower() == ".png" else array

    return read


class N2V_DataGenerator:
    """Loads images as arrays (S, Y, X, C) or (S, Z, Y, X, C) and cuts patches from them.

    Random choices come from NumPy's global generator, as in the original; np.random.seed seeds it.
    """

    def load_imgs(self, files, dims="YX", image_reader=None):
        """Reads image files.

        Args:
            files: paths.
            dims: letters of the axes of the files: S or T (samples), Z, Y, X, C.
            image_reader: called with a path, returns the array; by default values come as stored,
                but those of PNG files as float32 in [0, 1], as from matplotlib.image.imread, which
                the original has for them.

        Returns:
            list of arrays (S, Y, X, C) or, with Z in dims, (S, Z, Y, X, C). An axis S or C that is
            not in dims has length 1.

        Raises:
            ValueError: dims is not valid, or does not fit a file.
        """
        axis_letters.check_axes(dims)
        read = image_reader or _usual_reader(dims)
        return [self._arranged(path, np.asarray(read(path)), dims) for path in files]

    def load_imgs_from_directory(self, directory, filter="*.tif", dims="YX", image_reader=None):
        """Reads the files in a folder whose names match `filter`, sorted by name; see `load_imgs`.

        Raises:
            ValueError: no file matches; or see `load_imgs`.
        """
        paths = atomic.glob(pathlib.Path(directory) / filter)
        if not paths:
            raise ImageError(f"{directory}: no file matches {filter!r}.")
        return self.load_imgs(paths, dims, image_reader)

    def _arranged(self, path, array, dims):
        if array.ndim != len(dims):
            raise ValueError(f"{path}: shape {array.shape}, {array.ndim} axes; dims={dims}.")
        order = [dims.index(axis) for axis in "STZYXC" if axis in dims]
        array = array.transpose(order)
        samples = sum(axis in dims for axis in "ST")
        array = array.reshape(-1, *array.shape[samples:])
        return array if "C" in dims else array[..., None]

    def generate_patches_from_list(
        self, data, num_patches_per_img=None, shape=(256, 256), augment=True, shuffle=True
    ):
        """Cuts patches from every array of a list: one array, shuffled; see `generate_patches`."""
        patches = [self.generate_patches(x, num_patches_per_img, shape, augment) for x in data]
        patches = np.concatenate(patches)
        return np.random.permutation(patches) if shuffle else patches

    def generate_patches(self, data, num_patches=None, shape=(256, 256), augment=True):
        """Cuts patches from an array (S, Y, X, C) or (S, Z, Y, X, C).

        Args:
            data: an array of `load_imgs`.
            num_patches: number of patches from every sample, at random places; None for all
                patches that fit side by side.
            shape: sides of a patch, (Y, X) or (Z, Y, X), pixels.
            augment: whether to add the 7 other ways to turn and mirror a patch in Y and X.

        Returns:
            (N, *shape, C), type of `data`.

        Raises:
            ValueError: a patch is larger than the image; or augment is True and Y and X differ.
        """
        sides = data.shape[1:-1]
        if len(shape) != len(sides) or any(p > s for p, s in zip(shape, sides)):
            raise ValueError(f"shape={tuple(shape)}: expected at most {sides}, the image's.")
        if augment and shape[-2] != shape[-1]:
            raise ValueError(
                f"shape={tuple(shape)}: augment=True turns patches, so Y and X must be equal."
            )
        patches = []
        for sample in data:
            for corner in self._corners(sides, shape, num_patches):
                patches.append(sample[tuple(slice(c, c + n) for c, n in zip(corner, shape))])
        patches = np.stack(patches)
        if not augment:
            return patches
        return np.concatenate([pixels.orient(patches, *way) for way in pixels.ORIENTATIONS])

    def _corners(self, sides, shape, count):
        if count is None:
            steps = [range(0, side - n + 1, n) for side, n in zip(sides, shape)]
            return np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, len(shape))
        limits = [side - n + 1 for side, n in zip(sides, shape)]
        return np.random.randint(0, limits, (count, len(shape)))
