"""Files that are there whole or not at all."""

import contextlib
import glob as _glob
import os
import pathlib
import shutil

import numpy as np


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path beside `path`, with its endings; moves it there on success.

    The folder is made if missing. After a failure, also a full disk, the old file is still there
    and the temporary one is gone.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # or a power cut leaves the new name with nothing in it
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path):
    """The same for a folder, which the caller makes; an old one goes when the new one is ready."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def glob(pattern):
    """Files that match, and Zarr folders, sorted; ** crosses folders."""
    found = (pathlib.Path(p) for p in _glob.glob(str(pattern), recursive=True))
    return sorted(p for p in found if p.is_file() or p.suffix.lower() == ".zarr")


LARGE = 10**7  # bytes that are worth a check
MAX_RATIO = 5000  # of the bytes of an image to those of its file; no compression does more


def check_plausible(size, stored):
    """Raises ValueError for a damaged or hostile file that claims an image it can't hold.

    size: bytes of the image; stored: of the file.
    """
    if size > max(LARGE, MAX_RATIO * stored):
        raise ValueError(f"claims an image of {size / 1e6:.0f} MB, but holds {stored} bytes")


class Mapped:
    """An array inside a file, read and written by slices.

    The file is mapped anew for each of them, so that what was touched does not count as memory of
    this process any longer.
    """

    def __init__(self, path, offset, shape, dtype):
        self._path, self._offset = path, offset
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.ndim, self.nbytes = len(self.shape), int(np.prod(shape)) * self.dtype.itemsize

    def squeezed(self):
        """The same without the last axis, of length 1."""
        return Mapped(self._path, self._offset, self.shape[:-1], self.dtype)

    def _map(self, mode):
        return np.memmap(self._path, self.dtype, mode, self._offset, self.shape)

    def __getitem__(self, index):
        return np.array(self._map("r")[index])

    def __setitem__(self, index, values):
        self._map("r+")[index] = values
