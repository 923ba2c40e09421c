"""PSNR over the length of a training in minutes, with the paper's schedule and with the fast one.

Every point is a training of its own, for a schedule ends where the training does.
"""

import dataclasses

import numpy as np

from common import noise as noises
from common.commands import flags
from common.data import datasets
from common.files import tables
from noise2x import methods
from scripts.reproduce import trainings

FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the figure: a method with settings that do not depend on the length."""

    package: str
    settings: dict


N2N = {"noise": "gauss25", "crop_size": 64, "batch_size": 4}
SSDN = {"noise": "gauss25", "crop_size": 64}
N2V = {"noise": "gauss25", "crop_size": 64, "batch_size": 16, "kernel_size": 3, "loss": "mse"}
# SSDN, in equal minutes: the paper's schedule with one crop a step; the fast one learns more from
# four and a higher rate than from one (docs/performance.md).
FOUR = {"batch_size": 4, "learning_rate": 1e-3}
LINES = {
    "n2n-paper": Line("n2n_tf", N2N | {"schedule": "paper"}),
    "n2n-fast": Line("n2n_tf", N2N | {"schedule": "fast"}),
    "ssdn-paper": Line("ssdn_tf", SSDN | {"batch_size": 1, "schedule": "paper"}),
    "ssdn-fast": Line("ssdn_tf", SSDN | FOUR | {"schedule": "fast"}),
    "n2v-paper": Line("n2v_tf", N2V | {"schedule": "paper"}),
    "n2v-fast": Line("n2v_tf", N2V | {"schedule": "fast"}),
}

KEY = ("line", "minutes", "seed", "crops", "dataset", "images", "command")
SCORES = ("psnr", "ssim")


def reproduce(names, output):
    """Trains, scores, and writes minutes.csv and minutes.png.

    What an earlier run has scored is not computed again and stays in the table and in the figure,
    so that a few trainings at a time fill it.

    Args:
        names: keys of `LINES`.
        output: pathlib.Path of the folder for run folders, table and figure.

    Raises:
        ValueError: minutes.csv is there and has other columns.
    """
    image_set = datasets.load(
        FLAGS.dataset or "kodak", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    known = tables.read_known(output / "minutes.csv", KEY + SCORES, KEY)
    for name in names:
        line = LINES[name]
        for minutes in map(float, FLAGS.minutes):
            crops = trainings.crops_in(minutes, name, line.package, line.settings, output)
            for seed in range(FLAGS.seeds):
                arguments = _arguments(name, line, crops, seed, output)
                command = "python " + " ".join(arguments)
                values = (name, f"{minutes:g}", seed, crops, image_set.name, len(image_set))
                key = tuple(map(str, (*values, command)))
                if key not in known:
                    scores = _score(line, arguments, image_set)
                    known[key] = dict(zip(KEY + SCORES, key + scores, strict=True))
                    tables.write(output / "minutes.csv", list(known.values()), KEY + SCORES)
                psnr = known[key]["psnr"]
                print(f"{name:12} {minutes:6g} min {crops:8} crops {psnr} dB", flush=True)
    _draw(known.values(), image_set, output / "minutes.png")
    print(f"Figure: {output}/minutes.png, its numbers: {output}/minutes.csv")


def _score(line, arguments, image_set):
    """Trains, and returns mean PSNR and SSIM as texts."""
    from common.evaluation import scoring

    model = trainings.trained(arguments)
    method = methods.find(line.package)
    examples = method.examples(image_set, model.config, noise=noises.Gauss(25, 25))
    scores, _ = scoring.of_results(model, examples)
    return f"{np.mean(scores.psnr):.3f}", f"{np.nanmean(scores.ssim):.4f}"


def _draw(rows, image_set, path):
    """Draws a line of mean PSNR over minutes for each line of the table, of one image set."""
    from common.evaluation import figures

    points: dict = {}
    for row in rows:
        if (row["dataset"], row["images"]) == (image_set.name, str(len(image_set))):
            of_line = points.setdefault(row["line"], {})
            of_line.setdefault(float(row["minutes"]), []).append(float(row["psnr"]))
    figures.save_lines(
        {
            name: [(minutes, float(np.mean(found))) for minutes, found in sorted(of_line.items())]
            for name, of_line in points.items()
        },
        path,
        xlabel="minutes of training",
        ylabel=f"average PSNR on {image_set.name}, dB",
        logarithmic=True,
    )


def _arguments(name, line, crops, seed, output):
    """Arguments of a training, see trainings.arguments; its length is counted in `crops`."""
    settings = [f"--{key}={value}" for key, value in (line.settings | {"seed": seed}).items()]
    run_dir = output / f"{name}-{crops}-{seed}"
    return trainings.arguments(line.package, run_dir, crops, settings)
