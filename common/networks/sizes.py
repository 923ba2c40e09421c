"""Sizes of images that a network takes, and how far its pixels see. Needs no Keras."""

from __future__ import annotations

from collections.abc import Sequence

from common.types import Array


def radius(reaches: Sequence[int]) -> int:
    """Distance to the farthest input pixel that an output pixel of a U-Net depends on, pixels.

    reaches: for each level, the finest first, the distance that all its operations together reach
        to one side, in pixels of that level: 1 for a 3x3 convolution, 2 for two of them.
    """
    steps = [2**level for level in range(len(reaches))]
    # A pixel of the coarsest level stands for steps[-1] pixels, which lie unevenly around any of
    # them: the farthest is steps[-1] - 1 away.
    return sum(step * reach for step, reach in zip(steps, reaches)) + steps[-1] - 1


def missing(side: Array, multiple: int) -> Array:
    """Number of pixels by which a side, an int or a tensor, falls short of the next multiple."""
    return (side + multiple - 1) // multiple * multiple - side
