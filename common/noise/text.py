"""Overlaid text (Lehtinen et al. 2018, 3.2). Strings: "text25", per cent of the pixels covered.

Random strings in random fonts, sizes and colours, until a share of the image is covered.
"""

import dataclasses
import functools
import hashlib
import os
import pathlib
import string
import typing

import numpy as np

from common.noise import base

SIZES = (8, 29)  # of the letters, pixels
LENGTHS = (3, 16)  # of a string, letters
LETTERS = np.array(list(string.ascii_letters + string.digits + ".,:;!?&%"))


@dataclasses.dataclass(frozen=True)
class Text(base.PerCent):
    """Random strings are written over the image until a share of it is covered."""

    NAME: typing.ClassVar[str] = "text"
    UNIT: typing.ClassVar[str] = "per cent of pixels covered"
    MAX: typing.ClassVar[float] = 90.0  # random strings leave gaps
    RECOVERED_BY: typing.ClassVar[str] = "median"

    def check(self):
        """Raises FontError where there are no fonts."""
        font_paths()

    def fingerprint(self):
        """A hash of the fonts: other fonts give other noise."""
        fonts = [(os.path.basename(p), os.path.getsize(p)) for p in font_paths()]
        return "-" + hashlib.sha256(repr(fonts).encode()).hexdigest()[:8]

    def add(self, clean, level, seed):
        import tensorflow as tf

        def draw(image, share, key):
            rng = np.random.Generator(np.random.Philox(key=key.astype(np.uint64)))
            return overlay(image, float(share), rng)

        noisy = tf.numpy_function(draw, [clean, level, seed], clean.dtype, stateful=False)
        return tf.ensure_shape(noisy, clean.shape)


class FontError(ValueError):
    """No font to write with; the message says where it was looked for."""


def overlay(image, coverage, rng):
    """Writes over an image until a share of its pixels is covered.

    Args:
        image: (H, W, C) float in [0, 1].
        coverage: share of the pixels to cover, 0 to 1: it is reached by the last string that is
            written, and overshot by at most this string.
        rng: NumPy generator.

    Returns:
        (H, W, C), dtype of `image`. Letters are opaque and antialiased, of one random colour a
        string, in any grey for one channel.

    Raises:
        FontError: no font, see `font_paths`.
    """
    from PIL import Image, ImageDraw

    image = np.array(image)
    height, width, channels = image.shape
    covered = np.zeros((height, width), bool)
    paths = font_paths()
    while covered.mean() < coverage:
        path = paths[rng.integers(len(paths))]
        letters = "".join(rng.choice(LETTERS, rng.integers(*LENGTHS)))
        font = _font(path, int(rng.integers(*SIZES)))
        left, top, right, bottom = font.getbbox(letters)
        tall, wide = bottom - top, right - left
        if min(tall, wide) < 1:
            continue
        # Anywhere that some of it can be seen.
        y, x = int(rng.integers(1 - tall, height)), int(rng.integers(1 - wide, width))
        colour = rng.random(channels).astype(image.dtype)
        canvas = Image.new("L", (wide, tall))
        ImageDraw.Draw(canvas).text((-left, -top), letters, fill=255, font=font)
        seen = np.s_[max(-y, 0) : height - y, max(-x, 0) : width - x]
        opacity = np.asarray(canvas, image.dtype)[seen] / image.dtype.type(255)
        under = np.s_[max(y, 0) : max(y, 0) + len(opacity), max(x, 0) : max(x, 0) + len(opacity[0])]
        image[under] += opacity[..., None] * (colour - image[under])
        covered[under] |= opacity > 0
    return image


@functools.lru_cache(maxsize=512)
def _font(path, size):
    from PIL import ImageFont

    try:
        return ImageFont.truetype(path, size)
    except OSError as error:
        raise FontError(f"{path}: not readable as a font ({error}).") from error


@functools.lru_cache(maxsize=1)
def font_paths():
    """The fonts to draw from: .ttf and .otf files of $N2X_FONTS, or the DejaVu of matplotlib.

    Raises:
        FontError: there is none.
    """
    own = os.environ.get("N2X_FONTS")
    if own:
        files = [p for s in ("ttf", "otf") for p in sorted(pathlib.Path(own).glob(f"*.{s}"))]
        folder, way_out = own, "set N2X_FONTS to a folder of .ttf or .otf files."
    else:
        import matplotlib

        folder = pathlib.Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        files = sorted(folder.glob("DejaVuS*.ttf"))
        way_out = "set N2X_FONTS to a folder of .ttf files, or reinstall matplotlib."
    # Some hold symbols only.
    usable = [p for p in sorted(map(str, files)) if _has_letters(p)]
    if not usable:
        raise FontError(f"no fonts with letters in {folder}; {way_out}")
    return usable


def _has_letters(path):
    left, top, right, bottom = _font(path, SIZES[0]).getbbox("aZ8")
    return right > left and bottom > top
