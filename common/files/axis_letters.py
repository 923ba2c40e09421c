"""Letters for the axes of image files: Y, X, Z depth, T time, C channels, S samples of colour."""


def check_axes(axes: str) -> None:
    """Raises ValueError unless a string names axes that an image can have, each once."""
    if not set("YX") <= set(axes) <= set("STZCYX") or len(set(axes)) < len(axes):
        raise ValueError(
            f"dims={axes!r}: expected Y and X, with S (samples), T (time), Z (depth), C (channels) "
            "as the files have them, each once: YX, TYX, ZYX, YXC."
        )
