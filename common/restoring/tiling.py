"""Tiles that cover an image of any size, as many as memory asks for."""

import dataclasses
import itertools

import numpy as np

from common.networks import sizes

MEMORY_GB = 3.0  # that a tile may take, unless told otherwise


@dataclasses.dataclass(frozen=True)
class Tile:
    """Along every side: where it starts, its length, begin and end of what is taken from it.

    On the grid of halved pixels, which begins before the image where the denoiser pads it there.
    """

    start: tuple
    length: tuple
    begin: tuple
    end: tuple


class Grid:
    """Tiles that cover an image, each pixel taken from one of them.

    A tile reaches farther than what is taken from it by a halo. Where that is as far as the
    denoiser's pixels see, `radius`, the result is that of the whole image.

    Args:
        denoiser: `denoiser.Denoiser`.
        sides: of the image, without channels.
        max_pixels: of a tile [as many as MEMORY_GB holds].
        tile_size: longest side of a tile, pixels [as long as max_pixels allows].
        halo: pixels [the denoiser's].
    """

    def __init__(self, denoiser, sides, *, max_pixels=None, tile_size=None, halo=None):
        self._sides = sides
        self._centred = denoiser.CENTRED
        multiple = denoiser.config.side_multiple
        lacking = [sizes.missing(side, multiple) for side in sides]
        # Padded as the denoiser pads.
        self._before = [n // 2 if self._centred else 0 for n in lacking]
        padded = self._padded = [side + n for side, n in zip(sides, lacking)]
        self._max_pixels = max_pixels or pixels_in(denoiser, MEMORY_GB)
        halo = denoiser.halo if halo is None else halo
        half = max(1, multiple // 2)
        halo = -(-halo // half) * half  # two of them are a multiple
        self._halo, self._multiple = halo, multiple
        sides_allowed = filter(None, (tile_size, denoiser.MAX_TILE, max(padded)))
        length = tile_shape(padded, self._max_pixels, min(sides_allowed), halo, multiple)
        spans = [list(_spans(side, n, halo)) for side, n in zip(padded, length)]
        self.tiles = [
            Tile(*(tuple(values) for values in zip(*place))) for place in itertools.product(*spans)
        ]

    def around(self, region):
        """The smallest tile from which a region of the image, slices, can be taken."""
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

    def batches(self):
        """Lists of neighbouring tiles of one size that may be run at once."""
        count = max(1, int(self._max_pixels // np.prod(self.tiles[0].length)))
        for _, alike in itertools.groupby(self.tiles, self._shape):
            alike = list(alike)
            for first in range(0, len(alike), count):
                yield alike[first : first + count]

    def _shape(self, tile):
        ends = zip(tile.start, tile.length, self._sides)
        return tuple(n if self._centred else min(n, side - start) for start, n, side in ends)

    def read(self, tile, read):
        """The pixels of a tile, by `read` of a tuple of slices."""
        if not self._centred:  # the denoiser itself pads the last ones
            return read(tuple(map(_slice, tile.start, self._shape(tile))))
        indices = [
            _mirrored(np.arange(start, start + n) - before, side)
            for start, n, before, side in zip(tile.start, tile.length, self._before, self._sides)
        ]
        found = read(tuple(slice(index.min(), index.max() + 1) for index in indices))
        for axis, index in enumerate(indices):
            if len(index) != found.shape[axis]:
                found = np.take(found, index - index.min(), axis)
        return found

    def core(self, tile):
        """(slices of the image, slices of the tile): what is taken from it, and where it goes."""
        region, inner = [], []
        for start, begin, end, before, side in zip(
            tile.start, tile.begin, tile.end, self._before, self._sides
        ):
            begin, end = max(begin, before), min(end, before + side)
            region.append(slice(begin - before, end - before))
            inner.append(slice(begin - start, end - start))
        return tuple(region), tuple(inner)


def pixels_in(denoiser, gigabytes):
    """How many pixels of a tile fill so much memory."""
    return max(1, int(gigabytes * 1e9 / denoiser.bytes_per_pixel))


def _slice(start, length):
    return slice(start, start + length)


def _mirrored(position, side):
    """Positions beyond an image's edges as those of its mirror images; as unet.pad_to_multiple."""
    index = np.abs(position) % max(2 * (side - 1), 1)
    return np.where(index < side, index, 2 * (side - 1) - index)


def tile_shape(sides, max_pixels, max_side, halo, multiple):
    """Sides of a tile within both limits, as equal as can be; or the smallest with a middle."""
    least = -(-(2 * halo + 1) // multiple) * multiple
    tile, left = list(sides), max_pixels
    for done, axis in enumerate(np.argsort(sides, kind="stable")):
        equal = min(left ** (1 / (len(sides) - done)), max_side)  # short sides leave more to others
        tile[axis] = min(sides[axis], max(least, int(equal) // multiple * multiple))
        left = left / tile[axis]
    return tuple(_even(side, n, halo, multiple) for side, n in zip(sides, tile))


def _even(side, length, halo, multiple):
    """A tile no longer than `length` of which as many cover the side with the least to spare."""
    if length >= side:
        return side
    step = length - 2 * halo
    count = -(-(side - 2 * halo) // step)
    shared = -(-(side - 2 * halo) // count)
    return min(length, -(-shared // multiple) * multiple + 2 * halo)


def _spans(side, length, halo):
    """Along one side: (where a tile starts, its length, begin and end of what is taken)."""
    step = length - 2 * halo
    count = 1 if length >= side else 1 + -(-(side - length) // step)
    for i in range(count):
        start = min(i * step, side - length)
        last = i == count - 1
        yield start, length, i * step + halo if i else 0, side if last else start + length - halo
