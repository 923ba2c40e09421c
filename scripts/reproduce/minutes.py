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


N2V = {"noise": "gauss25", "batch_size": 16, "kernel_size": 3, "loss": "mse"}
LINES = {
    f"{name}-{schedule}": Line(package, {"schedule": schedule, "crop_size": 64, **settings})
    for name, package, settings in (
        ("n2n", "n2n_tf", {"noise": "gauss25", "batch_size": 4}),
        ("ssdn", "ssdn_tf", {"noise": "gauss25", "batch_size": 1}),
        ("n2v", "n2v_tf", N2V),
    )
    for schedule in ("paper", "fast")
}


def reproduce(names, output):
    """Trains, scores, and writes minutes.csv and minutes.png.

    Args:
        names: keys of `LINES`.
        output: pathlib.Path of the folder for run folders, table and figure.
    """
    from common.evaluation import figures, scoring

    image_set = datasets.load(
        FLAGS.dataset or "kodak", FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    rows, lines = [], {}
    for name in names:
        line, points = LINES[name], {}
        method = methods.find(line.package)
        for minutes in map(float, FLAGS.minutes):
            crops = trainings.crops_in(minutes, name, line.package, line.settings, output)
            for seed in range(FLAGS.seeds):
                arguments = _arguments(name, line, crops, seed, output)
                model = trainings.trained(arguments)
                examples = method.examples(image_set, model.config, noise=noises.Gauss(25, 25))
                scores, _ = scoring.of_results(model, examples)
                points.setdefault(minutes, []).append(np.mean(scores.psnr))
                row = {"line": name, "minutes": f"{minutes:g}", "seed": seed, "crops": crops}
                row |= {"psnr": f"{points[minutes][-1]:.3f}"}
                row |= {"ssim": f"{np.nanmean(scores.ssim):.4f}"}
                rows.append(row | {"command": "python " + " ".join(arguments)})
                print(f"{name:12} {minutes:6g} min {crops:8} crops {row['psnr']} dB", flush=True)
                tables.write(output / "minutes.csv", rows)
        lines[name] = [(minutes, float(np.mean(found))) for minutes, found in points.items()]
    figures.save_lines(
        lines,
        output / "minutes.png",
        xlabel="minutes of training",
        ylabel=f"average PSNR on {image_set.name}, dB",
        logarithmic=True,
    )
    print(f"Figure: {output}/minutes.png, its numbers: {output}/minutes.csv")


def _arguments(name, line, crops, seed, output):
    """Arguments of a training, see trainings.arguments; its length is counted in `crops`."""
    settings = [f"--{key}={value}" for key, value in (line.settings | {"seed": seed}).items()]
    run_dir = output / f"{name}-{crops}-{seed}"
    return trainings.arguments(line.package, run_dir, crops, settings)
