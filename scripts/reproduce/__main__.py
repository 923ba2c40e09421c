"""Trains and scores the models of a report's table or figure, and writes the table or figure.

noise2x reproduce models --output=results/models
noise2x reproduce ee559 --output=results/ee559
noise2x reproduce psnr_vs_sigma --output=results/psnr_vs_sigma
noise2x reproduce deblurring --output=results/deblurring
noise2x reproduce superresolution --output=results/superresolution
noise2x reproduce minutes --minutes=1,3,10 --output=results/minutes
noise2x reproduce calibration --output=results/calibration
noise2x reproduce comp6248 --budget=30 --output=results/comp6248

models: the models that come along, beside BM3D, at sigma 15, 25 and 50, on Kodak and BSD300 in
colour, BSD68 and Set12 in grey. Writes table.csv and table.md; nothing is trained.
ee559: the five networks of an EE-559 report on Noise2Noise (2022), trained on pairs of noisy 32x32
crops. Writes table.csv, with the report's PSNR and ours, its figures 2 to 6 (curves.png over
epochs, a sheet of patches for each network), and how each network learns one batch by heart.
psnr_vs_sigma: average PSNR as a function of the noise's sigma, of classical denoisers, models that
come along and networks trained for minutes, on grey images. Writes psnr.csv, psnr.png, the first
image as each restores it (side_by_side.png) and the curves of the trainings (curves.png).
deblurring, superresolution: the formulations of Cadiou & Dervishi, and trainings that change one
setting each, on grey images. Write table.csv, curves.png, pictures of a training and a test image
(results.png) and of the steps of the method (steps.png).
minutes: PSNR over the length of the training, of Noise2Noise, SSDN and (grey) Noise2Void, with the
paper's schedule and the fast one. Writes minutes.csv and minutes.png.

calibration: photons and read noise of nine strengths, on kodak, set12 and "cells", computed scenes
that are mostly dark; the shipped models as they are, calibrated, and after the transforms of the
true and of an estimated gain; Noise2Void and SSDN trained on the picture; BM3D. Writes table.csv,
table.md and sheet.png.

comp6248, clipping, workshop, bsd68: the PSNR tables of a reimplementation of SSDN (COMP6248, 2020),
its networks with and without clipped noise, the table of the workshop paper (Laine et al. 2019a),
and that of Noise2Void on BSD68 with seconds an image. Each network is trained for --budget minutes,
without it as long as published. Write table.md, table.csv, curves.png and a sheet for each set.

If a command is stopped, the same command continues where it was. With --train_set=sample and
--dataset=sample nothing needs to be downloaded. With --scale=0.1 the trainings are ten times
shorter, and the results rougher.
"""

import functools
import pathlib
import re

from absl import app
from absl import flags as absl_flags

from common import configuration, processor
from common.commands import flags, running
from common.evaluation import baselines
from scripts.reproduce import (
    calibrating,
    ee559,
    extensions,
    minutes,
    papers,
    psnr_vs_sigma,
    published,
    shipped_models,
)

FLAGS = flags.FLAGS


def define_flags():
    """Defines the flags of this program."""
    flags.define_data()
    absl_flags.DEFINE_string(
        "output", None, "Folder for run folders, tables and figures. Required."
    )
    absl_flags.DEFINE_string(
        "train_set", "bsd300_train", f"Images to train on: {flags.DATA} [bsd300_train]."
    )
    absl_flags.DEFINE_string(
        "dataset",
        None,
        "Images to score on [ee559, minutes: kodak; psnr_vs_sigma: bsd68; deblurring, "
        "superresolution: set12 and bsd68; models: see above; else those of the paper].",
    )
    absl_flags.DEFINE_float("scale", 1.0, "Factor of the length of all trainings [1].", 0.0, 1e3)
    absl_flags.DEFINE_integer("max_images", None, "Score at most this many images [all].", 1)
    absl_flags.DEFINE_list(
        "sigmas",
        ["5", "10", "15", "20", "25", "30", "35", "40", "45", "50"],
        "Standard deviations of the noise in psnr_vs_sigma, in 8-bit units [5,10,15,...,50].",
    )
    absl_flags.DEFINE_list(
        "noises",
        None,
        "Noises of calibration, such as poissongauss30+5 [10, 30 and 100 photons at white with "
        "read noises of 2, 5 and 15 of 255].",
    )
    absl_flags.DEFINE_list(
        "minutes", ["1", "3", "10"], "Lengths of the trainings of `minutes`, minutes [1,3,10]."
    )
    absl_flags.DEFINE_float(
        "budget",
        None,
        "Minutes of training for each network of comp6248, clipping, workshop and bsd68 [as long "
        "as published].",
        1e-4,
    )
    absl_flags.DEFINE_integer("seeds", 1, "Trainings for each point of `minutes` [1].", 1)
    absl_flags.DEFINE_list(
        "methods",
        ["all"],
        "Rows of the table or lines of the figure to make [all]. models: "
        f"{', '.join(shipped_models.ROWS)}; ee559: "
        f"{', '.join(ee559.EE559)}; psnr_vs_sigma: {', '.join(baselines.NAMES)}, "
        f"{', '.join(psnr_vs_sigma.SHIPPED)}, {', '.join(psnr_vs_sigma.CONTENDERS)}; "
        f"deblurring: {', '.join(extensions.DEBLUR)}; "
        f"superresolution: {', '.join(extensions.SUPERRES)}; minutes: {', '.join(minutes.LINES)}; "
        f"calibration: {', '.join(calibrating.WAYS)}; "
        "of the papers' tables, the names of their rows.",
    )
    flags.define_precision()
    FLAGS.set_default("precision", processor.fast_precision())


def run(arguments):
    """Makes the table or figure that the arguments name: ["ee559"], for instance."""
    subjects = {
        "models": (shipped_models.reproduce, shipped_models.ROWS),
        "ee559": (ee559.reproduce, list(ee559.EE559)),
        "psnr_vs_sigma": (psnr_vs_sigma.reproduce, psnr_vs_sigma.FIGURE),
        "deblurring": (extensions.deblurring, list(extensions.DEBLUR)),
        "superresolution": (extensions.superresolution, list(extensions.SUPERRES)),
        "minutes": (minutes.reproduce, list(minutes.LINES)),
        "calibration": (calibrating.reproduce, list(calibrating.WAYS)),
    }
    for name, rows in published.TABLES.items():
        labels = list(dict.fromkeys(row.label for row in rows))
        subjects[name] = (functools.partial(papers.reproduce, name), labels)
    if len(arguments) != 1 or arguments[0] not in subjects:
        raise app.UsageError(
            f"Expected one of {', '.join(subjects)}; got {arguments or 'nothing'}."
        )
    flags.require("output")
    for text in FLAGS.minutes:
        if not re.fullmatch(r"\d*\.?\d+", text) or not float(text):
            raise ValueError(f"minutes={text!r}: expected numbers above 0.")
    subject, names = subjects[arguments[0]]
    allowed = [*names, *baselines.NAMES] if subject is psnr_vs_sigma.reproduce else names
    if FLAGS.methods != ["all"]:
        names = FLAGS.methods
    elif {"bm3d", "BM3D"} & set(names) and "bm3d" not in baselines.available(["all"]):
        print("bm3d: not installed, left out; pip install 'noise2x[baselines]'.", flush=True)
        names = [name for name in names if not name.lower().startswith("bm3d")]
    for name in names:
        configuration.expect("methods", name, allowed)
        if name in baselines.NAMES:
            baselines.available([name])  # so that a missing one fails before hours of training
    subject(names, pathlib.Path(FLAGS.output))


def main():
    """Runs `noise2x reproduce`."""
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
