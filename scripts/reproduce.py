"""Trains and scores what a table or figure of a report shows, and prints its numbers beside ours.

python -m scripts.reproduce ee559 --output=results/ee559
python -m scripts.reproduce psnr_vs_sigma --output=results/psnr_vs_sigma

ee559: the five networks of an EE-559 report on Noise2Noise (2022), trained on pairs of noisy 32x32
crops; writes table.csv. psnr_vs_sigma: average PSNR over the strength of the noise, of classical
denoisers and of networks, on grey images; writes psnr.csv and psnr.png.

Stopped and started again, both go on where they were. --train_set=sample --dataset=sample need no
download; --scale=0.1 gives a rough picture in a tenth of the time.
"""

from common import quiet  # noqa: F401  # isort: skip

import csv
import dataclasses
import importlib
import pathlib
import subprocess
import sys
import time

import numpy as np
from absl import app
from absl import flags as absl_flags

from common import (
    baselines,
    configs,
    datasets,
    evaluation,
    figures,
    files,
    flags,
    noise_levels,
    prediction,
)

FLAGS = flags.FLAGS

# Best PSNR on the report's own 32x32 images, table 2. Crops: the sequential ones are cheap, and
# plain gradient descent is slow to learn.
EE559 = {
    "unet": (25.55, 60_000, 3e-4),
    "convtrans_relu": (24.05, 240_000, 0.1),
    "nn_relu": (23.79, 240_000, 0.1),
    "convtrans_sigmoid": (23.44, 240_000, 0.1),
    "nn_sigmoid": (23.29, 240_000, 0.1),
}
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
    "SSDN": Contender("ssdn_tf", 5_000, ("--noise=gauss5_50", "--batch_size=1")),
}


def define_flags():
    flags.define_data()
    absl_flags.DEFINE_string("output", None, "Folder for run folders, tables, plots. Required.")
    absl_flags.DEFINE_string("train_set", "bsd300_train", f"Images to train on: {flags.DATA}.")
    absl_flags.DEFINE_string("dataset", None, "Images to score on [ee559 kodak, else bsd68].")
    absl_flags.DEFINE_float("scale", 1.0, "Factor of the length of the trainings.", 0.0)
    absl_flags.DEFINE_integer("max_images", None, "Score at most so many images [all].", 1)
    absl_flags.DEFINE_list(
        "sigmas", ["5", "10", "15", "20", "25", "30", "35", "40", "45", "50"], "Of 255."
    )
    absl_flags.DEFINE_list(
        "methods",
        ["mean", "median", "non_local_means", "bm3d", *CONTENDERS],
        f"Of the figure: {', '.join(baselines.NAMES)}, {', '.join(CONTENDERS)}.",
    )
    flags.define_precision()
    FLAGS.set_default("precision", configs.fast_precision())


def trained(package, run_dir, arguments):
    """The trained model of a run folder, after training it, or the rest of it, if need be.

    Returns:
        (denoiser, the command).

    Raises:
        ValueError: the training failed; its own error is printed above.
    """
    command = ["-m", f"{package}.train", f"--run_dir={run_dir}", *arguments]
    own = [f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else []
    done = subprocess.run([sys.executable, *command, *own, "--resume"], check=False)
    if done.returncode:
        raise ValueError(f"{package}.train ended with exit code {done.returncode}.")
    method = importlib.import_module(f"{package}.denoiser").METHOD
    return method.load(run_dir, FLAGS.precision), "python " + " ".join(command)


def length(num_images, batch_size=1):
    return f"--num_images={max(int(num_images * FLAGS.scale), batch_size)}"


def write_table(path, rows):
    """A list of dicts as CSV; all have the keys of the first."""
    with files.replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def patches(image_set):
    """`PATCHES` squares from random places of the images, as one ImageSet; always the same."""
    rng = np.random.default_rng(0)
    large = [image for image in image_set.images if min(image.shape[:2]) >= PATCH]
    cut = []
    for number in range(PATCHES):
        image = large[number % len(large)]
        top, left = (int(rng.integers(side - PATCH + 1)) for side in image.shape[:2])
        cut.append(image[top : top + PATCH, left : left + PATCH])
    return datasets.ImageSet(image_set.name, cut, [f"{i:04d}" for i in range(PATCHES)])


def ee559():
    """The five networks by PSNR."""
    output = pathlib.Path(FLAGS.output)
    image_set = datasets.load(
        FLAGS.dataset or "kodak", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    examples = list(evaluation.noisy_images(patches(image_set), "gauss25", channels=3))
    rows = []
    for network, (theirs, num_images, rate) in EE559.items():
        model, command = trained(
            "n2n_tf",
            output / network,
            [f"--network={network}", "--noise=gauss25", f"--crop_size={PATCH}", "--batch_size=4"]
            + [f"--learning_rate={rate}", f"--train_set={FLAGS.train_set}"]
            + [length(num_images, 4), f"--validation_set={FLAGS.dataset or 'kodak'}"],
        )
        scores = evaluation.Scores()
        restored = model.predict_on_batch(np.stack([inputs["noisy"] for *_, inputs in examples]))
        for (_, clean, _), image in zip(examples, restored["denoised"]):
            scores.add(clean, image)
        ours = float(np.mean(scores.psnr))
        rows.append({"network": network, "report": theirs, "ours": f"{ours:.2f}"})
        rows[-1]["command"] = command
        write_table(output / "table.csv", rows)
    print(
        f"\n{'network':18} {'report':>7} {'ours':>7}   dB, on {PATCHES} crops of {image_set.name}"
    )
    for row in rows:
        print(f"{row['network']:18} {row['report']:7.2f} {row['ours']:>7}")
    ours = [row["network"] for row in sorted(rows, key=lambda row: -float(row["ours"]))]
    same = ours == list(EE559)
    print(f"Order: {' > '.join(ours)}; {'as' if same else 'not as'} in the report.")
    print(f"Table: {output}/table.csv")


def psnr_vs_sigma():
    """Average PSNR of every method for every sigma."""
    sigmas = [noise_levels.parse(f"gauss{text}").low for text in FLAGS.sigmas]
    output = pathlib.Path(FLAGS.output)
    image_set = datasets.load(
        FLAGS.dataset or "bsd68", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    path = output / "psnr.csv"
    rows = _rows_so_far(path, image_set)
    for name in FLAGS.methods:
        wanted = [s for s in sigmas if (name, f"{s:g}") not in rows]
        if wanted:
            restore = _restorer(name, output)
        for sigma in wanted:
            began = time.monotonic()
            scores = evaluation.Scores()
            for _, clean, inputs in evaluation.noisy_images(
                image_set, f"gauss{sigma:g}", channels=1
            ):
                scores.add(clean, restore(inputs))
            rows[name, f"{sigma:g}"] = {
                "method": name,
                "sigma": f"{sigma:g}",
                "psnr": f"{np.mean(scores.psnr):.3f}",
                "ssim": f"{np.nanmean(scores.ssim):.4f}",
                "dataset": image_set.name,
                "images": str(len(image_set)),
                "seconds": f"{time.monotonic() - began:.1f}",
            }
            print(f"{name:16} {scores.line(image_set.name, f'gauss{sigma:g}')}", flush=True)
            write_table(path, list(rows.values()))
    lines = {}
    for row in rows.values():
        lines.setdefault(row["method"], []).append((float(row["sigma"]), float(row["psnr"])))
    figures.save_lines(
        {name: sorted(points) for name, points in lines.items()},
        output / "psnr.png",
        xlabel="sigma of the noise, of 255",
        ylabel=f"average PSNR on {image_set.name}, dB",
    )
    print(f"Figure: {output}/psnr.png, its numbers: {path}")


def _rows_so_far(path, image_set):
    """Rows of an earlier run on the same images, by (method, sigma)."""
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    same = (image_set.name, str(len(image_set)))
    return {
        (row["method"], row["sigma"]): row
        for row in rows
        if (row["dataset"], row["images"]) == same
    }


def _restorer(name, output):
    """Function of a denoiser's inputs that gives the restored image."""
    if name not in CONTENDERS:
        function = baselines.available([name])[name]
        return lambda inputs: function(inputs["noisy"], inputs["noise_level"])
    contender = CONTENDERS[name]
    model, command = trained(
        contender.package,
        output / name.lower(),
        [*contender.flags, length(contender.num_images, 4), "--channels=1", "--crop_size=64"]
        + [f"--precision={FLAGS.precision}", f"--train_set={FLAGS.train_set}"]
        + [f"--validation_set={FLAGS.dataset or 'bsd68'}", "--validation_noise=gauss25"],
    )
    print(f"{name}: {command}", flush=True)
    return lambda inputs: prediction.restore(model, inputs)["denoised"]


def run(arguments):
    subjects = {"ee559": ee559, "psnr_vs_sigma": psnr_vs_sigma}
    if len(arguments) != 1 or arguments[0] not in subjects:
        raise app.UsageError(
            f"Expected one of {', '.join(subjects)}; got {arguments or 'nothing'}."
        )
    flags.require("output")
    for name in FLAGS.methods:
        if name not in CONTENDERS:
            baselines.available([name])  # what is not there shows before hours of training
    subjects[arguments[0]]()


def main():
    flags.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
