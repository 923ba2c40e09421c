"""What is raised for files that can't be used."""


class ImageError(ValueError):
    """A file that is no usable image; the message names it."""
