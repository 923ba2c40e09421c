"""Pictures of results: contact sheets and training curves."""

from __future__ import annotations

import pathlib
import typing
from collections.abc import Callable, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from common.files import atomic, pixels

CAPTION_HEIGHT = 22  # pixels
GAP = 6  # pixels, around every picture


def to_picture(image: np.ndarray) -> Image.Image:
    """Make an RGB picture of an image; values beyond [0, 1] are clipped.

    image: (H, W, C) float in [0, 1]; if C is not 1 or 3, the first channel is shown. Or a volume
        (D, H, W, C), whose middle page is shown.
    """
    image = image[len(image) // 2] if image.ndim == 4 else image
    image = image if image.shape[-1] in (1, 3) else image[..., :1]
    return Image.fromarray(pixels.to_channels(pixels.from_unit(image, np.uint8), 3))


def stretching(image: np.ndarray) -> Callable[[np.ndarray], Image.Image]:
    """A variant of `to_picture` that maps the middle 99 % of the values of `image` to [0, 1]."""
    low, high = (float(q) for q in np.quantile(image, (0.005, 0.995)))
    scale = max(high - low, 1e-12)
    return lambda other: to_picture((other - low) / scale)


def std_to_picture(std: np.ndarray) -> Image.Image:
    """Make an RGB picture of standard deviations (H, W, C).

    Dark colours mean certain pixels; the brightest colour stands for the 99 % quantile and above.
    """
    grey = std.mean(axis=-1)
    scaled = np.clip(grey / max(float(np.quantile(grey, 0.99)), 1e-9), 0.0, 1.0)
    colours = matplotlib.colormaps["magma"](scaled)[..., :3]
    return to_picture(colours.astype(np.float32))


def contact_sheet(
    rows: Sequence[Sequence[tuple[str, Image.Image]]], *, crop: tuple[int, int] | None = None
) -> Image.Image:
    """Arrange captioned pictures in rows.

    Args:
        rows: (caption, RGB picture) of every picture.
        crop: height and width, pixels, to cut from the middle of every picture [whole pictures].

    Returns:
        RGB picture.
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


def save_curves(rows: Sequence[Mapping[str, typing.Any]], path: str | pathlib.Path) -> None:
    """Draw the columns of a training log over the images shown: losses left, PSNR right.

    Args:
        rows: of the log, {column: number or its text}.
        path: the PNG file.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, names, label in zip(
        figure.subplots(1, 2),
        (("loss", "val_loss"), ("psnr", "val_psnr")),
        ("loss", "PSNR, dB"),
        strict=True,
    ):
        for name in names:
            _draw_column(axes, rows, name, label=name)
        axes.set(xlabel="images shown", ylabel=label)
        if axes.lines:
            axes.legend()
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def compare_curves(
    logs: Mapping[str, Sequence[Mapping[str, typing.Any]]],
    path: str | pathlib.Path,
    *,
    epoch: int | None = None,
) -> None:
    """Draw the logs of several trainings: loss and PSNR, of training and validation.

    Args:
        logs: label -> rows of a log, {column: number or its text}.
        path: the PNG file.
        epoch: crops in an epoch; the diagrams are over epochs then [over crops].
    """
    figure = Figure(figsize=(11, 8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = {
        "loss": "training loss",
        "val_loss": "validation loss",
        "psnr": "PSNR of the training, dB",
        "val_psnr": "PSNR of the validation, dB",
    }
    if not any(row.get("val_loss") for rows in logs.values() for row in rows):
        # Where there are clean images PSNR is logged; this is the square error that it stands for.
        logs = {
            label: [
                {**row, "val_loss": 10 ** (-float(row["val_psnr"]) / 10)}
                if row.get("val_psnr")
                else row
                for row in rows
            ]
            for label, rows in logs.items()
        }
        panels["val_loss"] = "mean square error of the validation"
    for axes, (name, ylabel) in zip(figure.subplots(2, 2).flat, panels.items(), strict=True):
        for label, rows in logs.items():
            _draw_column(axes, rows, name, label=label, per=epoch or 1)
        axes.set(xlabel="epochs" if epoch else "crops shown", ylabel=ylabel)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)


def _draw_column(axes, rows, name, *, label, per=1):
    """Draws a column of a log over the images shown, where it has values."""
    points = [(int(row["images"]) / per, float(row[name])) for row in rows if row.get(name)]
    if points:
        axes.plot(*zip(*points), marker=".", label=label)


def save_lines(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    path: str | pathlib.Path,
    *,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = False,
    logarithmic_y: bool = False,
) -> None:
    """Draw lines into one diagram.

    Args:
        lines: label -> points (x, y).
        path: the PNG file.
        xlabel, ylabel: names of the axes, with units.
        logarithmic: whether the x axis is, with a tick at each of its values.
        logarithmic_y: whether the y axis is.
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for label, points in lines.items():
        axes.plot(*zip(*points), marker="." if len(points) < 100 else "", label=label)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if logarithmic:
        axes.set_xscale("log")
        ticks = sorted({x for points in lines.values() for x, _ in points})
        axes.set_xticks(ticks, labels=[f"{x:g}" for x in ticks])
        axes.minorticks_off()
    if logarithmic_y:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
