"""Calibration against the alternatives, on photons and read noise whose strengths are known.

Every picture gets Poisson-Gaussian noise of three gains and three read noises, and is restored by a
shipped model as it is; after the generalised Anscombe transform of the true gain and read noise
(the oracle) and of those that `noise2x noise` estimates; after a calibration for the picture alone,
a blind-spot model with uncertainty too; by Noise2Void and by SSDN that were trained on the noisy
picture; and by BM3D, where it is installed, after the oracle's transform and the calibration's.
"""

import time

import numpy as np

from common import noise as noises
from common.commands import flags
from common.files import atomic, pixels, tables

FLAGS = flags.FLAGS
PHOTONS, READ_NOISES = (10, 30, 100), (2, 5, 15)  # at white; of 255
SETS = {"kodak": 3, "set12": 1}  # and the channels in which they are restored
WAYS = (
    *("as it is", "oracle", "estimated gain", "calibrated", "ssdn calibrated"),
    *("n2v trained", "ssdn trained", "bm3d", "bm3d calibrated"),
)


def reproduce(ways, output):
    """Writes table.csv: mean PSNR and seconds of each way, set and noise; and sheet.png.

    Trainings that were stopped go on, and those that are finished count with the seconds of their
    loading.

    Args:
        ways: of `WAYS`.
        output: the folder.
    """
    from common.data import datasets
    from common.evaluation import figures

    rows, sheet = [], []
    for name in [FLAGS.dataset] if FLAGS.dataset else SETS:
        images = datasets.load(name, FLAGS.data_dir, max_images=FLAGS.max_images)
        for photons in PHOTONS:
            for read in READ_NOISES:
                noise = noises.parse(f"poissongauss{photons}+{read}")
                row, pictures = _row(name, images, noise, ways, output)
                rows.append(row)
                sheet.append(pictures)
                print("  ".join(f"{k}={v}" for k, v in row.items()), flush=True)
                tables.write(output / "table.csv", rows)
    with atomic.replacing(output / "sheet.png") as temporary:
        figures.contact_sheet(sheet, crop=(192, 192)).save(temporary, "png")
    print(f"Table: {output}/table.csv; pictures: {output}/sheet.png")


def _row(name, images, noise, ways, output):
    """(a row of the table, captioned pictures of the first image)."""
    from common.data import pipeline
    from common.evaluation import figures, quality
    from scripts.reproduce.ways import Picture

    scores = {way: [] for way in ("noisy", *ways)}
    seconds, pictures = {way: [] for way in ways}, []
    for number, stored in enumerate(images.images):
        clean = pixels.to_unit(pixels.to_channels(stored, SETS.get(name, 1)))
        noisy, level = pipeline.evaluation_noise(clean, noise, 0, number)
        noisy = np.asarray(noisy, np.float32)
        folder = output / "runs" / f"{name}-{noise}-{number}"
        picture = Picture(noisy, 1 / level, noise.read / 255, folder)
        results = {"noisy": noisy}
        for way in ways:
            began = time.perf_counter()
            results[way] = picture.restored(way)
            seconds[way].append(time.perf_counter() - began)
        for way, result in results.items():
            scores[way].append(quality.psnr_float(clean, np.clip(result, 0, 1)))
            if not number:
                caption = f"{noise} {way} {scores[way][0]:.2f} dB"
                pictures.append((caption, figures.to_picture(result)))
    row = {"dataset": name, "images": len(images), "noise": str(noise)}
    row |= {way: f"{np.mean(psnr):.2f}" for way, psnr in scores.items()}
    row |= {f"{way}, s": f"{np.median(taken):.1f}" for way, taken in seconds.items()}
    return row, pictures
