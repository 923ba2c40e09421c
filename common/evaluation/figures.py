"""Pictures of results: contact sheets and training curves."""

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from common.files import atomic, pixels

CAPTION_HEIGHT = 22  # pixels
GAP = 6


def to_picture(image):
    """(H, W, C) or (D, H, W, C) in [0, 1], clipped -> RGB picture.

    Of a volume its middle page, of other channels than 1 or 3 the first.
    """
    image = image[len(image) // 2] if image.ndim == 4 else image
    image = image if image.shape[-1] in (1, 3) else image[..., :1]
    return Image.fromarray(pixels.to_channels(pixels.from_unit(image, np.uint8), 3))


def stretching(image):
    """A `to_picture` that stretches the middle 99 % of the values of `image` over all greys."""
    low, high = (float(q) for q in np.quantile(image, (0.005, 0.995)))
    scale = max(high - low, 1e-12)
    return lambda other: to_picture((other - low) / scale)


def std_to_picture(std):
    """Standard deviations (H, W, C) -> RGB picture: dark is certain; full scale at 99 %."""
    grey = std.mean(axis=-1)
    scaled = np.clip(grey / max(float(np.quantile(grey, 0.99)), 1e-9), 0.0, 1.0)
    colours = matplotlib.colormaps["magma"](scaled)[..., :3]
    return to_picture(colours.astype(np.float32))


def contact_sheet(rows, *, crop=None):
    """Lays captioned pictures out in rows.

    Args:
        rows: list of lists of (caption, PIL picture).
        crop: (height, width) cut from the middle of every picture, or None for whole ones.

    Returns:
        PIL picture.
    """
    font = ImageFont.load_default(size=14)
    rows = [[(text, _cut_middle(p, crop) if crop else p) for text, p in row] for row in rows]
    height = sum(max(p.height for _, p in row) + CAPTION_HEIGHT + GAP for row in rows) + GAP
    width = max(sum(p.width + GAP for _, p in row) for row in rows) + GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for row in rows:
        left = GAP
        for text, picture in row:
            sheet.paste(picture, (left, top))
            draw.text((left + 2, top + picture.height + 3), text, fill="black", font=font)
            left += picture.width + GAP
        top += max(p.height for _, p in row) + CAPTION_HEIGHT + GAP
    return sheet


def _cut_middle(picture, size):
    height, width = min(size[0], picture.height), min(size[1], picture.width)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def save_curves(rows, path):
    """Draws the columns of a training log over images shown: losses left, PSNR right."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for axes, names, label in (
        (left, ("loss", "val_loss"), "loss"),
        (right, ("psnr", "val_psnr"), "PSNR, dB"),
    ):
        for name in names:
            points = [(int(row["images"]), float(row[name])) for row in rows if name in row]
            if points:
                axes.plot(*zip(*points), marker=".", label=name)
        axes.set(xlabel="images shown", ylabel=label)
        if axes.lines:
            axes.legend()
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def save_lines(lines, path, *, xlabel, ylabel):
    """Draws lines into one diagram: dict of label -> list of (x, y)."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for label, points in lines.items():
        axes.plot(*zip(*points), marker=".", label=label)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
