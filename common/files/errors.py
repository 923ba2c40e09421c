"""The error for files that can't be used."""


class ImageError(ValueError):
    """A file is not a usable image; the message names it."""


def short(error: BaseException) -> str:
    """The first line of an error's message, 200 characters at most."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]
