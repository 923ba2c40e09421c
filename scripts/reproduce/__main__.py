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

import csv
import dataclasses
import pathlib
import time

import numpy as np
from absl import app
from absl import flags as absl_flags

from common import configuration
from common import noise as noises
from common.commands import flags, running
from common.data import datasets, image_sets
from common.evaluation import baselines, example_images, figures, scoring
from common.restoring import prediction
from scripts.reproduce import extensions, trainings

FLAGS = flags.FLAGS

# Best PSNR on the report's own 32x32 images, table 2; learning rate. All see as many crops.
EE559 = {
    "unet": (25.55, 1e-3),
    "convtrans_relu": (24.05, 0.1),
    "nn_relu": (23.79, 0.1),
    "convtrans_sigmoid": (23.44, 0.1),
    "nn_sigmoid": (23.29, 0.1),
}
EE559_CROPS = 60_000
PATCH, PATCHES = 32, 1000  # pixels a side; how many are scored


@dataclasses.dataclass(frozen=True)
class Contender:
    """A network of the figure: its package, and the flags it is trained with, at scale 1."""

    package: str
    num_images: int
    flags: tuple


CONTENDERS = {
    "N2N": Contender("n2n_tf", 30_000, ("--noise=gauss0_50", "--batch_size=4")),
    "RDUNet": Contender(
        "rdunet_tf", 20_000, ("--width=16", "--batch_size=4", "--learning_rate=1e-3")
    ),
    "N2V": Contender("n2v_tf", 40_000, ("--noise=gauss5_50", "--batch_size=16", "--loss=mse")),
    "SSDN": Contender("ssdn_tf", 5_000, ("--noise=gauss5_50", "--batch_size=1")),
}
FIGURE = ["mean", "median", "non_local_means", "bm3d", *CONTENDERS]


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
        f"Of the table: {', '.join(EE559)}; of the figure: {', '.join(baselines.NAMES)}, "
        f"{', '.join(CONTENDERS)}; of deblurring: {', '.join(extensions.DEBLUR)}; of "
        f"superresolution: {', '.join(extensions.SUPERRES)}; or all.",
    )
    flags.define_precision()
    FLAGS.set_default("precision", configuration.fast_precision())


def patches(image_set):
    """`PATCHES` squares from random places of the images, as one ImageSet; always the same."""
    rng = np.random.default_rng(0)
    large = image_set.only(lambda image: min(image.shape[:2]) >= PATCH).images
    if not large:
        raise ValueError(f"{image_set.name}: every image is smaller than {PATCH}x{PATCH}.")
    cut = []
    for number in range(PATCHES):
        image = large[number % len(large)]
        top, left = (int(rng.integers(side - PATCH + 1)) for side in image.shape[:2])
        cut.append(image[top : top + PATCH, left : left + PATCH])
    return image_sets.ImageSet(image_set.name, cut, [f"{i:04d}" for i in range(PATCHES)])


def ee559(networks, output):
    """The networks of the report by PSNR."""
    image_set = datasets.load(
        FLAGS.dataset or "kodak", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    examples = list(example_images.noisy_images(patches(image_set), "gauss25", channels=3))
    noisy = np.stack([inputs["noisy"] for *_, inputs in examples])
    rows = []
    for network in networks:
        theirs, rate = EE559[network]
        flags_of_it = [f"--network={network}", "--noise=gauss25", f"--learning_rate={rate}"]
        flags_of_it += [f"--crop_size={PATCH}", "--batch_size=4"]
        arguments = trainings.arguments("n2n_tf", output / network, EE559_CROPS, flags_of_it)
        restored = trainings.trained(arguments).predict_on_batch(noisy)["denoised"]
        scores = scoring.Scores()
        for (_, clean, _), image in zip(examples, restored):
            scores.add(clean, image)
        row = {"network": network, "report": theirs, "ours": f"{np.mean(scores.psnr):.2f}"}
        rows.append(row | {"command": "python " + " ".join(arguments)})
        trainings.write_table(output / "table.csv", rows)
    print(
        f"\n{'network':18} {'report':>7} {'ours':>7}   dB, on {PATCHES} crops of {image_set.name}"
    )
    for row in rows:
        print(f"{row['network']:18} {row['report']:7.2f} {row['ours']:>7}")
    for column in ("report", "ours"):
        order = sorted(rows, key=lambda row: -float(row[column]))
        print(f"Order, {column}: {' > '.join(row['network'] for row in order)}")
    print(f"Table: {output}/table.csv")


def psnr_vs_sigma(methods, output):
    """Average PSNR of every method for every sigma."""
    sigmas = [noises.parse(f"gauss{text}").low for text in FLAGS.sigmas]
    image_set = datasets.load(
        FLAGS.dataset or "bsd68", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    path = output / "psnr.csv"
    rows, lines = _rows_so_far(path), {}
    for name in methods:
        arguments, restore = _arguments(name, output), None
        for sigma in sigmas:
            noise = f"gauss{sigma:g}"
            # What a row is about; one of an earlier run about the same is not done again.
            key = (name, f"{sigma:g}", image_set.name, str(len(image_set)), " ".join(arguments))
            if key not in rows:
                restore = restore or _restorer(name, arguments)
                began = time.monotonic()
                scores = scoring.Scores()
                for _, clean, inputs in example_images.noisy_images(image_set, noise, channels=1):
                    scores.add(clean, restore(inputs))
                figures_of_it = (
                    f"{np.mean(scores.psnr):.3f}",
                    f"{np.nanmean(scores.ssim):.4f}",
                    f"{time.monotonic() - began:.1f}",
                )
                rows[key] = dict(zip(KEY + FIGURES, key + figures_of_it))
                print(f"{scores.line(image_set.name, noise)} method={name}", flush=True)
                trainings.write_table(path, list(rows.values()))
            lines.setdefault(name, []).append((sigma, float(rows[key]["psnr"])))
    figures.save_lines(
        {name: sorted(points) for name, points in lines.items()},
        output / "psnr.png",
        xlabel="sigma of the noise, of 255",
        ylabel=f"average PSNR on {image_set.name}, dB",
    )
    print(f"Figure: {output}/psnr.png, its numbers: {path}")


KEY = ("method", "sigma", "dataset", "images", "training")
FIGURES = ("psnr", "ssim", "seconds")


def _rows_so_far(path):
    """Rows of earlier runs, by what they are about.

    Raises:
        ValueError: the file is no such table.
    """
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != KEY + FIGURES:
            raise ValueError(f"{path}: not a table of this program; choose another --output.")
        return {tuple(row[name] for name in KEY): row for row in reader}


def _arguments(name, output):
    """Arguments of the training of a method, none for classical ones."""
    if name not in CONTENDERS:
        return []
    contender = CONTENDERS[name]
    settings = [*contender.flags, "--channels=1", "--crop_size=64", "--validation_noise=gauss25"]
    run_dir = output / name.lower()
    return trainings.arguments(contender.package, run_dir, contender.num_images, settings)


def _restorer(name, arguments):
    """Function of a denoiser's inputs that gives the restored image."""
    if not arguments:
        function = baselines.available([name])[name]
        return lambda inputs: function(inputs["noisy"], inputs["noise_level"])
    model = trainings.trained(arguments)
    return lambda inputs: prediction.restore(model, inputs)["denoised"]


def run(arguments):
    subjects = {
        "ee559": (ee559, list(EE559)),
        "psnr_vs_sigma": (psnr_vs_sigma, FIGURE),
        "deblurring": (extensions.deblurring, list(extensions.DEBLUR)),
        "superresolution": (extensions.superresolution, list(extensions.SUPERRES)),
    }
    if len(arguments) != 1 or arguments[0] not in subjects:
        raise app.UsageError(
            f"Expected one of {', '.join(subjects)}; got {arguments or 'nothing'}."
        )
    flags.require("output")
    subject, methods = subjects[arguments[0]]
    allowed = [*methods, *baselines.NAMES] if subject is psnr_vs_sigma else methods
    if FLAGS.methods != ["all"]:
        methods = FLAGS.methods
    elif "bm3d" in methods and "bm3d" not in baselines.available(["all"]):
        print("bm3d: not installed, left out; pip install 'noise2x[baselines]'.", flush=True)
        methods = [name for name in methods if name != "bm3d"]
    for name in methods:
        configuration.expect("methods", name, allowed)
        if name in baselines.NAMES:
            baselines.available([name])  # what is not there shows before hours of training
    subject(methods, pathlib.Path(FLAGS.output))


def main():
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
