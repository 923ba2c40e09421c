"""Trains and scores what a table or figure of a report shows, and prints its numbers beside ours.

python -m scripts.reproduce ee559 --output=results/ee559
python -m scripts.reproduce psnr_vs_sigma --output=results/psnr_vs_sigma
python -m scripts.reproduce deblurring --output=results/deblurring
python -m scripts.reproduce superresolution --output=results/superresolution

ee559: the five networks of an EE-559 report on Noise2Noise (2022), trained on pairs of noisy 32x32
crops; writes table.csv. psnr_vs_sigma: average PSNR over the strength of the noise, of classical
denoisers and of networks, on grey images; writes psnr.csv and psnr.png. deblurring,
superresolution: the formulations of Cadiou & Dervishi, on grey images, and what makes them work;
write table.csv and curves.png.

Stopped and started again, all go on where they were. --train_set=sample --dataset=sample need no
download; --scale=0.1 trains a tenth as long, for a rough picture.
"""

import pathlib

from absl import app
from absl import flags as absl_flags

from common import configuration
from common.commands import flags, running
from common.evaluation import baselines
from scripts.reproduce import ee559, extensions, psnr_vs_sigma

FLAGS = flags.FLAGS


def define_flags():
    flags.define_data()
    absl_flags.DEFINE_string("output", None, "Folder for run folders, tables, plots. Required.")
    absl_flags.DEFINE_string("train_set", "bsd300_train", f"Images to train on: {flags.DATA}.")
    absl_flags.DEFINE_string(
        "dataset",
        None,
        "Images to score on [ee559 kodak, psnr_vs_sigma bsd68, else set12 and bsd68].",
    )
    absl_flags.DEFINE_float("scale", 1.0, "Factor of the length of the trainings.", 0.0, 1e3)
    absl_flags.DEFINE_integer("max_images", None, "Score at most so many images [all].", 1)
    absl_flags.DEFINE_list(
        "sigmas", ["5", "10", "15", "20", "25", "30", "35", "40", "45", "50"], "Of 255."
    )
    absl_flags.DEFINE_list(
        "methods",
        ["all"],
        f"Of the table: {', '.join(ee559.EE559)}; of the figure: {', '.join(baselines.NAMES)}, "
        f"{', '.join(psnr_vs_sigma.CONTENDERS)}; of deblurring: {', '.join(extensions.DEBLUR)}; of "
        f"superresolution: {', '.join(extensions.SUPERRES)}; or all.",
    )
    flags.define_precision()
    FLAGS.set_default("precision", configuration.fast_precision())


def run(arguments):
    subjects = {
        "ee559": (ee559.reproduce, list(ee559.EE559)),
        "psnr_vs_sigma": (psnr_vs_sigma.reproduce, psnr_vs_sigma.FIGURE),
        "deblurring": (extensions.deblurring, list(extensions.DEBLUR)),
        "superresolution": (extensions.superresolution, list(extensions.SUPERRES)),
    }
    if len(arguments) != 1 or arguments[0] not in subjects:
        raise app.UsageError(
            f"Expected one of {', '.join(subjects)}; got {arguments or 'nothing'}."
        )
    flags.require("output")
    subject, names = subjects[arguments[0]]
    allowed = [*names, *baselines.NAMES] if subject is psnr_vs_sigma.reproduce else names
    if FLAGS.methods != ["all"]:
        names = FLAGS.methods
    elif "bm3d" in names and "bm3d" not in baselines.available(["all"]):
        print("bm3d: not installed, left out; pip install 'noise2x[baselines]'.", flush=True)
        names = [name for name in names if name != "bm3d"]
    for name in names:
        configuration.expect("methods", name, allowed)
        if name in baselines.NAMES:
            baselines.available([name])  # what is not there shows before hours of training
    subject(names, pathlib.Path(FLAGS.output))


def main():
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
