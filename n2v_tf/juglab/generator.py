"""Reading and cutting images as juglab's n2v 0.3 does: the class that its notebooks start with."""

import pathlib

import numpy as np

from common.files import atomic, axis_letters, pixels, stacks
from common.files.errors import ImageError


class N2V_DataGenerator:
    """Loads images as arrays (S, Y, X, C) or (S, Z, Y, X, C) and cuts patches from them.

    Random choices come from NumPy's global generator, as the original's: np.random.seed sets it.
    """

    def load_imgs(self, files, dims="YX"):
        """Reads files.

        Args:
            files: paths.
            dims: letters of their axes: S or T samples, Z, Y, X, C.

        Returns:
            list of arrays (S, Y, X, C) or, with Z in dims, (S, Z, Y, X, C), as stored; S or C of
            length 1 where dims has none.

        Raises:
            ValueError: dims that make no sense, or that a file does not have.
        """
        axis_letters.check_axes(dims)
        return [self._load(path, dims) for path in files]

    def load_imgs_from_directory(self, directory, filter="*.tif", dims="YX"):
        """`load_imgs` of the files in a folder that match `filter`, sorted by name.

        Raises:
            ValueError: none does.
        """
        found = atomic.glob(pathlib.Path(directory) / filter)
        if not found:
            raise ImageError(f"{directory}: no file matches {filter!r}.")
        return self.load_imgs(found, dims)

    def _load(self, path, dims):
        array = stacks.read(path, dims).array
        order = [dims.index(axis) for axis in "STZYXC" if axis in dims]
        array = array.transpose(order)
        samples = sum(axis in dims for axis in "ST")
        array = array.reshape(-1, *array.shape[samples:])
        return array if "C" in dims else array[..., None]

    def generate_patches_from_list(
        self, data, num_patches_per_img=None, shape=(256, 256), augment=True, shuffle=True
    ):
        """`generate_patches` of every array of a list, put together and shuffled."""
        patches = [self.generate_patches(x, num_patches_per_img, shape, augment) for x in data]
        patches = np.concatenate(patches)
        return np.random.permutation(patches) if shuffle else patches

    def generate_patches(self, data, num_patches=None, shape=(256, 256), augment=True):
        """Cuts patches from an array (S, Y, X, C) or (S, Z, Y, X, C).

        Args:
            data: as `load_imgs` gives it.
            num_patches: so many at random places of every sample; None for all that fit side by
                side.
            shape: sides of a patch, (Y, X) or (Z, Y, X).
            augment: adds the 7 other ways to turn and mirror a patch in Y and X.

        Returns:
            (N, *shape, C), type of `data`.

        Raises:
            ValueError: a patch larger than the image, or sides Y and X unequal with augment.
        """
        sides = data.shape[1:-1]
        if len(shape) != len(sides) or any(p > s for p, s in zip(shape, sides)):
            raise ValueError(f"shape={tuple(shape)}: expected at most {sides}, the image's.")
        if augment and shape[-2] != shape[-1]:
            raise ValueError(f"shape={tuple(shape)}: augment=True turns patches; they be square.")
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
