"""What the page shows of a picture: PNG files of eight bits, as large as the picture itself.

Files of eight bits are shown value by value. Of others the middle 99 % of the noisy picture's
values are spread over black to white, in the result alike; that is for the eye alone.
"""

import threading

import numpy as np
from PIL import Image

from common.files import atomic, pixels, stacks
from scripts.page import sentences

ROWS = 512  # that are converted at once
SHOWN = 3.0  # deviations of what was taken away that black and white stand for
MAX_BYTES = 2**28  # larger arrays stay in their files, where these can be read in parts


# One view is made at a time: for the memory's sake, and so that nobody makes one twice.
_making = threading.Lock()


def png(picture, what, result, page):
    """Path of the PNG file of a view, which is made when it is first asked for.

    Args:
        picture: of the store.
        what: "before", or of a finished result "after", "removed" or "std".
        result: Result, or None for "before".
        page: number of the page.

    Raises:
        ImageError: a file that can't be read.
        LookupError: no such page, or no deviation.
    """
    if not 0 <= page < picture.about["pages"]:
        raise LookupError(sentences.NO_PAGE.format(page=page + 1))
    folder = picture.folder if result is None else picture.result_folder(result)
    path = folder / "views" / f"{what}-{page}.png"
    if path.exists():
        return path
    with _making:
        if not path.exists():
            # Pillow copies the values, four bytes a pixel: by then the files are closed.
            values, profile = _render(picture, what, result, page)
            image = Image.fromarray(values)
            del values
            with atomic.replacing(path) as temporary:
                image.save(temporary, "png", compress_level=1, icc_profile=profile)
    return path


def _render(picture, what, result, page):
    """(a picture for the eye, (H, W, 3) uint8; the colour profile of its values, or None)."""
    channels = picture.about["channels"]
    if what == "std":
        if result.std is None:
            raise LookupError(sentences.NO_STD)
        deviations = _view(picture.result_folder(result) / result.std, channels)
        return _drawn(deviations, page, _coloured(deviations, page)), None
    path = picture.path if what == "before" else picture.result_file(result)
    stack = stacks.read(path, max_bytes=MAX_BYTES)
    view = stack.view(2, channels)
    if what != "removed":
        shown = _drawn(view, page, _shown_as(picture.about["spread"]))
        return shown, stack.metadata.icc_profile
    noisy = _view(picture.path, channels)
    change = _change(noisy, view, page, noisy.middle())
    scale = 2 * SHOWN * max(float(np.sqrt(np.mean(np.square(change)))), 1e-9)

    def removed(region):
        return _rgb(0.5 + _change(noisy, view, page, region) / scale)

    return _bands(noisy.sides, removed), None


def _view(path, channels):
    return stacks.read(path, max_bytes=MAX_BYTES).view(2, channels)


def _change(view, restored, page, region):
    """What was taken away in a region, (H, W, C)."""
    before = view.read(page, region).astype(np.float32)
    return before - restored.read(page, region).astype(np.float32)


def _shown_as(spread):
    """A function that makes RGB values of pixels; spread: as Store has it."""
    if spread is None:
        return _rgb_of_bytes
    low, high = spread
    return lambda part: _rgb((part.astype(np.float32) - low) / np.float32(high - low))


def _rgb(part):
    """(H, W, C) on [0, 1] -> (H, W, 3) uint8; of other than 1 or 3 channels the first is shown."""
    part = part if part.shape[-1] in (1, 3) else part[..., :1]
    return pixels.to_channels(pixels.from_unit(part, np.uint8), 3)


def _rgb_of_bytes(part):
    return pixels.to_channels(part if part.shape[-1] in (1, 3) else part[..., :1], 3)


def _coloured(view, page):
    """A function that makes colours of deviations: dark where the model is sure."""
    import matplotlib

    middle = view.read(page, view.middle()).mean(axis=-1)
    brightest = max(float(np.quantile(middle, 0.99)), 1e-9)
    table = (255 * matplotlib.colormaps["magma"](np.linspace(0, 1, 256))[:, :3]).astype(np.uint8)
    return lambda part: table[np.uint8(255 * np.clip(part.mean(axis=-1) / brightest, 0, 1))]


def _drawn(view, page, convert):
    return _bands(view.sides, lambda region: convert(view.read(page, region)))


def _bands(sides, rows_of):
    """(H, W, 3) uint8 made of bands of rows, so that no more than these are held as floats."""
    height, width = sides
    rgb = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, ROWS):
        band = slice(top, min(top + ROWS, height))
        rgb[band] = rows_of((band, slice(0, width)))
    return rgb
