"""The error for files that can't be used."""


class ImageError(ValueError):
    """A file is not a usable image; the message names it."""
