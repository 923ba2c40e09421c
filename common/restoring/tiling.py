"""Tiles that cover an image of any size, as large as memory allows."""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from common.networks import sizes

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

MEMORY_GB = 3.0  # default for the memory that a tile may take


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of an image that is restored at once.

    All numbers are pixels, one for each side of the image. They count from the corner of the padded
    image, which lies before that of the image itself if the denoiser is CENTRED.

    Attributes:
        start: where the tile starts.
        length: its length.
        begin, end: of the inner part, which is kept.
    """

    start: tuple[int, ...]
    length: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]


class Grid:
    """Tiles that cover an image.

    Tiles overlap. Only the inner part of each is kept; the outer part is the halo. The inner parts
    cover every pixel of the image once. If the halo is at least as wide as the denoiser's `radius`,
    the result is the same as for the whole image.

    Args:
        denoiser: the model that restores the tiles.
        sides: sides of the image, without channels, pixels.
        max_pixels: most pixels of a tile [as many as MEMORY_GB holds].
        tile_size: longest side of a tile, pixels [as long as max_pixels allows].
        halo: width of the halo, pixels [the denoiser's].

    Attributes:
        tiles: list of Tile.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        sides: Sequence[int],
        *,
        max_pixels: int | None = None,
        tile_size: int | None = None,
        halo: int | None = None,
    ) -> None:
        self._sides = sides
        self._centred = denoiser.CENTRED
        multiple = denoiser.config.side_multiple
        lacking = [sizes.missing(side, multiple) for side in sides]
        # The grid pads the image as the denoiser does.
        self._before = [n // 2 if self._centred else 0 for n in lacking]
        padded = self._padded = [side + n for side, n in zip(sides, lacking)]
        self._max_pixels = max_pixels or denoiser.pixels_in(MEMORY_GB)
        halo = denoiser.halo if halo is None else halo
        half = max(1, multiple // 2)
        halo = -(-halo // half) * half  # two halos are a multiple
        self._halo, self._multiple = halo, multiple
        sides_allowed = filter(None, (tile_size, denoiser.MAX_TILE, max(padded)))
        length = tile_shape(padded, self._max_pixels, min(sides_allowed), halo, multiple)
        spans = [list(_spans(side, n, halo)) for side, n in zip(padded, length)]
        self.tiles = [
            Tile(*(tuple(values) for values in zip(*place))) for place in itertools.product(*spans)
        ]

    def around(self, region: Sequence[slice]) -> Tile:
        """The smallest tile whose inner part is a region of the image.

        region: slices of the sides of the image.
        """
        starts, lengths, begins, ends = [], [], [], []
        for part, before, side in zip(region, self._before, self._padded):
            begin, end = part.start + before, part.stop + before
            start = max(begin - self._halo, 0) // self._multiple * self._multiple
            stop = min(-(-(end + self._halo) // self._multiple) * self._multiple, side)
            starts.append(start)
            lengths.append(stop - start)
            begins.append(begin)
            ends.append(end)
        return Tile(tuple(starts), tuple(lengths), tuple(begins), tuple(ends))

    def batches(self) -> Iterator[list[Tile]]:
        """Yield lists of neighbouring tiles of equal size, as many as may be restored at once."""
        count = max(1, int(self._max_pixels // np.prod(self.tiles[0].length)))
        for _, neighbours in itertools.groupby(self.tiles, self._shape):
            alike = list(neighbours)
            for first in range(0, len(alike), count):
                yield alike[first : first + count]

    def _shape(self, tile):
        """Sides of a tile as `read` returns it: without the padding that the denoiser adds."""
        ends = zip(tile.start, tile.length, self._sides)
        return tuple(n if self._centred else min(n, side - start) for start, n, side in ends)

    def read(self, tile: Tile, read: Callable[[tuple[slice, ...]], np.ndarray]) -> np.ndarray:
        """Read the pixels of a tile, (H, W, C) or (D, H, W, C).

        read: returns the pixels in slices of the image's sides.
        """
        if not self._centred:  # the denoiser pads the last tiles
            return read(tuple(map(_slice, tile.start, self._shape(tile))))
        indices = [
            _mirrored(np.arange(start, start + n) - before, side)
            for start, n, before, side in zip(tile.start, tile.length, self._before, self._sides)
        ]
        values = read(tuple(slice(index.min(), index.max() + 1) for index in indices))
        for axis, index in enumerate(indices):
            if len(index) != values.shape[axis]:
                values = np.take(values, index - index.min(), axis)
        return values

    def core(self, tile: Tile) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """The inner part of a tile: (slices of the image, slices of the tile)."""
        region, inner = [], []
        for start, begin, end, before, side in zip(
            tile.start, tile.begin, tile.end, self._before, self._sides
        ):
            begin, end = max(begin, before), min(end, before + side)
            region.append(slice(begin - before, end - before))
            inner.append(slice(begin - start, end - start))
        return tuple(region), tuple(inner)


def _slice(start, length):
    return slice(start, start + length)


def _mirrored(position, side):
    """Reflect positions beyond the edges of an image into it, as unet.pad_to_multiple does."""
    index = np.abs(position) % max(2 * (side - 1), 1)
    return np.where(index < side, index, 2 * (side - 1) - index)


def tile_shape(
    sides: Sequence[int], max_pixels: float, max_side: int, halo: int, multiple: int
) -> tuple[int, ...]:
    """Sides of a tile, as equal as possible within both limits.

    If the limits leave no inner part between the halos, the smallest tile that has one.

    Args:
        sides: sides of the padded image, pixels.
        max_pixels: most pixels of a tile.
        max_side: longest side of a tile, pixels.
        halo: width of the halo, pixels.
        multiple: the sides are multiples of it, unless they are those of the image.
    """
    least = -(-(2 * halo + 1) // multiple) * multiple
    tile, left = list(sides), max_pixels
    for done, axis in enumerate(np.argsort(sides, kind="stable")):
        equal = min(left ** (1 / (len(sides) - done)), max_side)  # short sides leave more to others
        tile[axis] = min(sides[axis], max(least, int(equal) // multiple * multiple))
        left = left / tile[axis]
    return tuple(_even(side, n, halo, multiple) for side, n in zip(sides, tile))


def _even(side, length, halo, multiple):
    """Shorten a tile as far as the number of tiles along the side stays the same."""
    if length >= side:
        return side
    step = length - 2 * halo
    count = -(-(side - 2 * halo) // step)
    shared = -(-(side - 2 * halo) // count)
    return min(length, -(-shared // multiple) * multiple + 2 * halo)


def _spans(side, length, halo):
    """Yield the tiles along one side: (start, length, begin and end of the inner part)."""
    step = length - 2 * halo
    count = 1 if length >= side else 1 + -(-(side - length) // step)
    for i in range(count):
        start = min(i * step, side - length)
        last = i == count - 1
        yield start, length, i * step + halo if i else 0, side if last else start + length - halo
