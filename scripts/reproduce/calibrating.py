"""Calibration against the alternatives, on photons and read noise whose strengths are known.

Every picture of Kodak, of Set12 and of "cells", computed scenes that are mostly dark, gets
Poisson-Gaussian noise of three gains and three read noises, and is restored by a shipped model as
it is; after the generalised Anscombe transform of the true gain and read noise
(the oracle) and of those that `noise2x noise` estimates; after a calibration for the picture alone,
a blind-spot model with uncertainty too; by Noise2Void and by SSDN that were trained on the noisy
picture; and by BM3D, where it is installed, after the oracle's transform and the calibration's.
"""

import time

import numpy as np

from common import noise as noises
from common.commands import flags
from common.files import atomic, pixels, tables
from scripts.reproduce import sheets

FLAGS = flags.FLAGS
NOISES = [f"poissongauss{photons}+{read}" for photons in (10, 30, 100) for read in (2, 5, 15)]
SETS = {"kodak": 3, "set12": 1, "cells": 1}  # and the channels in which they are restored
CELLS, CELLS_SIDE = 8, 256  # pictures of "cells", and their sides
BACKGROUND = 0.015  # of them
WAYS = (
    *("as it is", "oracle", "estimated gain", "calibrated", "ssdn calibrated"),
    *("n2v trained", "ssdn trained", "bm3d", "bm3d calibrated"),
)
KEY = ("dataset", "image", "noise", "way")
COLUMNS = (*KEY, "psnr", "seconds")


def reproduce(ways, output):
    """Writes table.csv: PSNR and seconds of each way, picture and noise; table.md; and sheet.png.

    table.md has the means over all pictures that a set has in table.csv. The trainings are short;
    one that was stopped goes on, and its seconds are then those of the rest.

    Args:
        ways: of `WAYS`.
        output: the folder.

    Raises:
        ValueError: --noises has other noise than that of photons and read-out.
    """
    from common.data import datasets

    chosen = [noises.parse(text) for text in FLAGS.noises or NOISES]
    for noise in chosen:
        if noise.NAME != "poissongauss" or not noise.is_fixed:
            raise ValueError(f"noises='{noise}': expected such as poissongauss30+5.")
    known = tables.read_known(output / "table.csv", COLUMNS, KEY)
    for name in [FLAGS.dataset] if FLAGS.dataset else SETS:
        if name == "cells":
            images = cells(FLAGS.max_images or CELLS)
        else:
            images = datasets.load(name, FLAGS.data_dir, max_images=FLAGS.max_images)
        for noise in chosen:
            for number in range(len(images)):
                for row in _rows(images, number, noise, SETS.get(name, 1), ways, output, known):
                    known[tuple(row[column] for column in KEY)] = row
                    tables.write(output / "table.csv", list(known.values()))
            _write_markdown(known.values(), output / "table.md")
    _write_sheet(known, output)
    print(f"Table: {output}/table.md; every picture's: {output}/table.csv")


def cells(count):
    """An ImageSet of scenes as fluorescence shows them: a few bright spots, mostly black."""
    from scipy import ndimage

    from common.data import image_sets

    pictures = []
    for number in range(count):
        white = np.random.default_rng(number).standard_normal((CELLS_SIDE, CELLS_SIDE))
        smooth = ndimage.gaussian_filter(white, 4 + 2 * (number % 4))
        smooth = (smooth - smooth.min()) / np.ptp(smooth)
        picture = BACKGROUND + (1 - BACKGROUND) * smooth ** (3 + number // 2)
        pictures.append(picture[..., None].astype(np.float32))
    return image_sets.ImageSet("cells", pictures, [str(number) for number in range(count)])


def _rows(images, number, noise, channels, ways, output, known):
    """Yields the rows of a picture that are not known, and keeps pictures of the first one."""
    from common.data import pipeline
    from common.evaluation import quality
    from scripts.reproduce.ways import Picture

    keys = [(images.name, images.names[number], str(noise), way) for way in ("noisy", *ways)]
    if all(key in known for key in keys):
        return
    clean = pixels.to_unit(pixels.to_channels(images.images[number], channels))
    noisy, level = pipeline.evaluation_noise(clean, noise, 0, number)
    noisy = np.asarray(noisy, np.float32)
    folder = output / "runs" / f"{images.name}-{noise}-{number}"
    picture = Picture(noisy, 1 / level, noise.read / 255, folder)
    for key in keys:
        if key in known:
            continue
        began = time.perf_counter()
        result = noisy if key[-1] == "noisy" else picture.restored(key[-1])
        seconds = time.perf_counter() - began
        score = quality.psnr_float(clean, np.clip(result, 0, 1))
        if not number:
            sheets.keep(_picture(output, key), result)
        row = dict(zip(COLUMNS, (*key, f"{score:.3f}", f"{seconds:.1f}"), strict=True))
        print("  ".join(f"{k}={v}" for k, v in row.items()), flush=True)
        yield row


def _picture(output, key):
    """Path of the picture of a row."""
    name = "-".join(key).replace("/", "_").replace(" ", "_")
    return output / "pictures" / f"{name.strip('_')}.png"


def _write_markdown(rows, path):
    """Writes the means over a set's pictures, a line a noise; "(n)" where n pictures have a way."""
    scores = {}
    for row in rows:
        of_noise = scores.setdefault((row["dataset"], row["noise"]), {})
        of_noise.setdefault(row["way"], []).append(float(row["psnr"]))
    ways = [way for way in ("noisy", *WAYS) if any(way in found for found in scores.values())]
    lines = [f"| set | noise | {' | '.join(ways)} |", "| --- | --- |" + " --- |" * len(ways)]
    for (dataset, noise), found in scores.items():
        count, cells = len(found["noisy"]), []
        for way in ways:
            psnr = found.get(way, [])
            cells.append(f"{np.mean(psnr):.2f}" if psnr else "")
            cells[-1] += f" ({len(psnr)})" if 0 < len(psnr) < count else ""
        lines.append(f"| {dataset} ({count}) | {noise} | {' | '.join(cells)} |")
    with atomic.replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _write_sheet(known, output):
    """Writes sheet.png: the first picture of each set and noise as every way restores it."""
    rows = {}
    for key, row in known.items():
        cell = (f"{key[2]} {key[3]} {float(row['psnr']):.2f} dB", _picture(output, key))
        rows.setdefault((key[0], key[2]), []).append(cell)
    sheet = [sheets.kept(cells) for cells in rows.values()]
    sheets.write(output / "sheet.png", sheet, crop=(192, 192))
