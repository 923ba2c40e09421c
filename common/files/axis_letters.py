"""Letters for the axes of image files: Y, X, Z depth, T time, C channels, S samples of colour."""

from __future__ import annotations


def check_axes(axes: str) -> None:
    """Check the letters for the axes of an image.

    Raises:
        ValueError: Y or X is missing, or a letter is unknown or appears twice.
    """
    if not set("YX") <= set(axes) <= set("STZCYX") or len(set(axes)) < len(axes):
        raise ValueError(
            f"dims={axes!r}: expected Y and X, with S (samples), T (time), Z (depth), C (channels) "
            "as the files have them, each once: YX, TYX, ZYX, YXC."
        )
