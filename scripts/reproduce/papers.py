"""Tables of papers and reports: every network trained, scored, and set beside the published figure.

Each network is trained for --budget minutes, with the fast schedule and crops of 64x64, or without
it as the paper does. What was scored is kept in table.csv, so that the same command goes on where
it stopped.
"""

import csv
import dataclasses
import time
import typing

import numpy as np

from common import noise as noises
from common.commands import flags
from common.data import datasets
from common.evaluation import baselines
from common.files import atomic, tables
from noise2x import methods
from scripts.reproduce import trainings

FLAGS = flags.FLAGS
COLUMNS = ("row", "dataset", "images", "training", "published", "psnr", "ssim", "seconds")


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table.

    label: its name there.
    published: {set: PSNR in dB}; the row is scored on these sets.
    package: of the method, "" for a classical baseline.
    settings: of the training, as dict; for a baseline its name under "baseline".
    length: of the published training, in crops, and how it is told in words.
    noise: that is added in scoring.
    """

    label: str
    published: dict[str, float]
    package: str
    settings: dict[str, typing.Any]
    length: int = 0
    trained: str = ""
    noise: str = "gauss25"


def _rows(package, length, trained, rows, noise="gauss25", **shared):
    """Rows of one method: {label: (published, settings)}."""
    return [
        Row(label, published, package, shared | settings, length, trained, noise)
        for label, (published, settings) in rows.items()
    ]


def _bm3d(published, **settings):
    return Row("BM3D", published, "", {"baseline": "bm3d", **settings})


COMP = "200,000 iterations of 4 crops"
CLIPPED = "gauss25_clipped"
WORKSHOP = "1.2 million crops of 256x256"
TABLES = {
    "comp6248": [
        _bm3d({"kodak": 31.81, "bsd300": 30.40}),
        *_rows(
            "ssdn_tf",
            800_000,
            COMP,
            {
                "N2C": ({"kodak": 32.19, "bsd300": 31.22}, {"pipeline": "n2c"}),
                "N2N": ({"kodak": 32.16, "bsd300": 31.20}, {"pipeline": "n2n"}),
                "SSDN mean only": (
                    {"kodak": 30.00, "bsd300": 28.56},
                    {"pipeline": "blindspot_mean"},
                ),
                "SSDN sigma unknown": (
                    {"kodak": 31.61, "bsd300": 30.55},
                    {"noise_params": "per_image"},
                ),
                "SSDN sigma known": ({"kodak": 32.12, "bsd300": 31.13}, {}),
            },
            noise=CLIPPED,
        ),
        *_rows(
            "n2v_tf",
            800_000,
            COMP,
            {"N2V with juglab's network": ({"kodak": 31.03, "bsd300": 30.24}, {"loss": "mse"})},
            noise=CLIPPED,
            channels=3,
        ),
    ],
    # The same networks without clipping, which the report argues for where sigma is estimated.
    "clipping": [
        *_rows(
            "ssdn_tf",
            800_000,
            COMP,
            {
                f"sigma {params} {noise}": (
                    {"kodak": float("nan")},
                    {"noise": noise, "noise_params": params},
                )
                for params in ("known", "global", "per_image")
                for noise in ("gauss25", CLIPPED)
            },
        )
    ],
    "workshop": [
        _bm3d({"kodak": 31.82, "bsd300": 30.34, "set14": 30.50}),
        _bm3d({"bsd68": 28.59}, channels=1),
        *(
            row
            for channels, sets in ((3, ("kodak", "bsd300", "set14")), (1, ("bsd68",)))
            for row in _rows(
                "ssdn_tf",
                1_200_000,
                WORKSHOP,
                {
                    label: ({name: figures[name] for name in sets}, settings)
                    for label, figures, settings in (
                        (
                            "Full",
                            {"kodak": 32.39, "bsd300": 30.99, "bsd68": 29.27, "set14": 31.20},
                            {"pipeline": "workshop"},
                        ),
                        (
                            "Per-component",
                            {"kodak": 31.54, "bsd300": 29.87, "bsd68": 29.27, "set14": 30.54},
                            {"pipeline": "workshop", "diagonal_covariance": True},
                        ),
                        (
                            "L2",
                            {"kodak": 30.58, "bsd300": 28.61, "bsd68": 27.76, "set14": 29.51},
                            {"pipeline": "blindspot_mean"},
                        ),
                        (
                            "N2N",
                            {"kodak": 32.39, "bsd300": 31.03, "bsd68": 29.30, "set14": 31.17},
                            {"pipeline": "n2n"},
                        ),
                        (
                            "N2C",
                            {"kodak": 32.41, "bsd300": 31.04, "bsd68": 29.31, "set14": 31.17},
                            {"pipeline": "n2c"},
                        ),
                    )
                    # One channel has no covariances to leave out.
                    if not (label == "Per-component" and channels == 1)
                },
                channels=channels,
                as_workshop=True,
                grey="luminance" if channels == 1 else "mean",
            )
        ),
    ],
    "bsd68": [
        _bm3d({"bsd68": 28.59}, channels=1),
        *_rows(
            "n2n_tf",
            1_200_000,
            "not told",
            {
                "Traditional (clean targets)": ({"bsd68": 29.06}, {"targets": "clean"}),
                "Noise2Noise": ({"bsd68": 28.86}, {}),
            },
            noise="gauss25",
            channels=1,
        ),
        *_rows(
            "n2v_tf",
            12_000_000,
            "not told",
            {"Noise2Void": ({"bsd68": 27.71}, {"loss": "mse", "kernel_size": 3})},
            channels=1,
        ),
    ],
}


def reproduce(table, labels, output):
    """Makes a table: trains, scores, and writes table.csv, table.md and side_by_side.png.

    Args:
        table: a key of `TABLES`.
        labels: of the rows to make.
        output: pathlib.Path of the folder for run folders and results.
    """
    from common.evaluation import figures

    known = _rows_so_far(output / "table.csv")
    rows, pictures = [], []
    for row in (row for row in TABLES[table] if row.label in labels):
        arguments = _arguments(row, output)
        restorer = None
        for name in _sets(row):
            images = datasets.load(
                name, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
            )
            training = " ".join(arguments)
            key = (row.label, name, str(len(images)), training)
            if key not in known or not pictures:
                restorer = restorer or _restorer(row, arguments)
                known[key], shown = _score(row, images, restorer)
                pictures = pictures or shown[:2]
                pictures.append((f"{row.label} {shown[2][0]}", shown[2][1]))
            psnr, ssim, seconds = known[key]
            published = row.published.get(name, float("nan"))
            values = (*key, f"{published:.2f}", psnr, ssim, seconds)
            rows.append(dict(zip(COLUMNS, values, strict=True)))
            tables.write(output / "table.csv", rows)
            beside = "" if np.isnan(published) else f", published {published:.2f}"
            print(f"{row.label:28} {name:8} {psnr} dB{beside}", flush=True)
        _write_markdown(table, rows, output / "table.md")
    if pictures:
        with atomic.replacing(output / "side_by_side.png") as temporary:
            figures.contact_sheet([pictures[i : i + 4] for i in range(0, len(pictures), 4)]).save(
                temporary
            )
    print(f"Table: {output}/table.md; every score with its command: {output}/table.csv")


def _sets(row):
    """The sets that a row is scored on: those of the paper, or that of --dataset."""
    return [FLAGS.dataset] if FLAGS.dataset else list(row.published)


def _arguments(row, output):
    """Arguments of a row's training, see trainings.arguments; [] for a baseline."""
    if not row.package:
        return []
    settings = {"noise": row.noise, **row.settings}
    name = f"{row.label}-{settings.get('channels', 3)}".lower().replace(" ", "_")
    length = row.length
    if FLAGS.budget:
        batch = 16 if row.package == "n2v_tf" else 1 if _is_blind(settings) else 4
        settings |= {"schedule": "fast", "crop_size": 64, "batch_size": batch}
        if settings.get("noise_params") == "global":
            settings["noise_rate"] = 10.0
        length = trainings.crops_in(FLAGS.budget, name, row.package, settings, output)
    written = [f"--{k}" if v is True else f"--{k}={v}" for k, v in settings.items()]
    return trainings.arguments(row.package, output / name.replace("'", ""), length, written)


def _is_blind(settings):
    """Whether the network is a blind-spot network, which learns most from single crops."""
    return "targets" not in settings and settings.get("pipeline") not in ("n2c", "n2n")


def _restorer(row, arguments):
    """(method, configuration, function of an example's inputs that gives the restored image)."""
    if not row.package:
        method = methods.find("ssdn_tf")
        channels = row.settings.get("channels", 3)
        config = dataclasses.replace(method.default_config, channels=channels)
        function = baselines.available([row.settings["baseline"]])[row.settings["baseline"]]
        sigma = config.noise.fixed_level()
        return method, config, lambda inputs: function(inputs["noisy"], sigma)
    from common.restoring import prediction

    model = trainings.trained(arguments)
    return (
        methods.find(row.package),
        model.config,
        lambda inputs: prediction.restore(model, inputs)["denoised"],
    )


def _score(row, images, restorer):
    """((PSNR, SSIM, seconds an image) as text, captioned pictures of the first image)."""
    from common.evaluation import figures, scoring

    method, config, restore = restorer
    scores, shown = scoring.Scores(), []
    noise = noises.parse(str(row.settings.get("noise", row.noise)))
    began = time.perf_counter()
    for _, clean, inputs in method.examples(images, config, noise=noise):
        restored = restore(inputs)
        scores.add(clean, restored)
        if not shown:
            noisy = scoring.quality.psnr(clean, inputs["noisy"])
            shown = [("clean", clean), (f"noisy {noisy:.2f} dB", inputs["noisy"])]
            shown.append((f"{scores.psnr[-1]:.2f} dB", restored))
    seconds = (time.perf_counter() - began) / len(scores.psnr)
    figures_of_it = (f"{np.mean(scores.psnr):.3f}", f"{np.nanmean(scores.ssim):.4f}")
    pictures = [(caption, figures.to_picture(image)) for caption, image in shown]
    return (*figures_of_it, f"{seconds:.2f}"), pictures


def _rows_so_far(path):
    """Scores of earlier runs: {(row, set, number of images, training): (PSNR, SSIM, seconds)}.

    Raises:
        ValueError: the file is not a table of this program.
    """
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: not a table of this program; choose another --output.")
        return {
            tuple(row[name] for name in COLUMNS[:4]): tuple(row[name] for name in COLUMNS[5:])
            for row in reader
        }


def _write_markdown(table, rows, path):
    """Writes the table for people: a line a row and set."""
    lengths = {row.label: row.trained for row in TABLES[table]}
    lines = [
        "| | set | published | ours | difference | published training | ours |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        published, ours = float(row["published"]), float(row["psnr"])
        crops = [w for w in row["training"].split() if w.startswith("--num_images=")]
        trained = f"{int(crops[0].partition('=')[2]):,} crops" if crops else ""
        told, difference = (
            ("", "") if np.isnan(published) else (f"{published:.2f}", f"{ours - published:+.2f}")
        )
        lines.append(
            f"| {row['row']} | {row['dataset']} | {told} | {ours:.2f} | {difference} | "
            f"{lengths[row['row']]} | {trained} |"
        )
    with atomic.replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
