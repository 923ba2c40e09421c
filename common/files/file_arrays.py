"""Arrays that stay in their file and are read and written by slices."""

from __future__ import annotations

import pathlib
import typing
from collections.abc import Sequence

import numpy as np

LARGE = 10**7  # bytes; smaller images are not checked
MAX_RATIO = 5000  # bytes of an image per byte of its file; no compression reaches more


@typing.runtime_checkable
class LazyArray(typing.Protocol):
    """An array that is read where it is sliced: a NumPy array, or one that stays in its file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis."""
        ...

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        ...

    @property
    def ndim(self) -> int:
        """Number of axes."""
        ...

    @property
    def nbytes(self) -> int:
        """Size in memory, bytes."""
        ...

    def __getitem__(self, index: typing.Any) -> typing.Any: ...


def check_plausible(size: int, stored: int) -> None:
    """Refuse a damaged or hostile file that claims an image it can't hold.

    Args:
        size: size of the image, bytes.
        stored: size of the file, bytes.

    Raises:
        ValueError: the image is too large for the file.
    """
    if size > max(LARGE, MAX_RATIO * stored):
        raise ValueError(f"claims an image of {size / 1e6:.0f} MB, but holds {stored} bytes")


class Mapped:
    """An array inside an uncompressed file, read and written by slices.

    Every read and write maps the file anew. With one lasting map, all pages that were ever touched
    would count as memory of this process.

    Args:
        path: the file.
        offset: where the array begins, bytes.
        shape: length of every axis.
        dtype: type of the values, with the byte order of the file.
    """

    def __init__(
        self, path: str | pathlib.Path, offset: int, shape: Sequence[int], dtype: typing.Any
    ) -> None:
        self._path, self._offset = path, offset
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.ndim, self.nbytes = len(self.shape), int(np.prod(shape)) * self.dtype.itemsize

    def squeezed(self) -> Mapped:
        """The same array without its last axis, which has length 1."""
        return Mapped(self._path, self._offset, self.shape[:-1], self.dtype)

    def _map(self, mode):
        return np.memmap(self._path, self.dtype, mode, self._offset, self.shape)

    def __getitem__(self, index: typing.Any) -> np.ndarray:
        return np.array(self._map("r")[index])

    def __setitem__(self, index: typing.Any, values: np.ndarray) -> None:
        self._map("r+")[index] = values
