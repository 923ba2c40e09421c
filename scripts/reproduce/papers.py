"""Tables of papers and reports: every network trained, scored, and set beside the published figure.

Each network is trained for --budget minutes, with the fast schedule and crops of 64x64, or without
it as the paper does. What was scored is kept in table.csv, so that the same command goes on where
it stopped.
"""

import dataclasses
import math
import time

import numpy as np

from common import noise as noises
from common.commands import flags
from common.data import datasets
from common.evaluation import baselines
from common.files import atomic, tables
from noise2x import methods
from scripts.reproduce import sheets, trainings
from scripts.reproduce.published import TABLES

FLAGS = flags.FLAGS
KEY = ("row", "channels", "dataset", "images", "training")
SCORES = ("psnr", "ssim", "seconds", "first_psnr")
COLUMNS = (*KEY, "published", *SCORES)


def reproduce(table, labels, output):
    """Makes a table: trains, scores, and writes table.csv, table.md and a sheet for each set.

    Args:
        table: a key of `TABLES`.
        labels: of the rows to make.
        output: pathlib.Path of the folder for run folders and results.

    Raises:
        ValueError: none of its sets is there.
    """
    known, run_dirs = tables.read_known(output / "table.csv", COLUMNS, KEY), {}
    rows = [row for row in TABLES[table] if row.label in labels]
    image_sets, lacking = _image_sets(rows)
    for row in rows:
        arguments = _arguments(row, output)
        restorer = None
        if arguments:
            grey = " grey" if row.channels == 1 else ""
            run_dirs[row.label + grey] = trainings.run_dir(arguments)
        for name, images in image_sets.items():
            if not FLAGS.dataset and name not in row.published:
                continue
            published = row.published.get(name, math.nan)
            values = (row.label, row.channels, name, len(images), " ".join(arguments))
            key = tuple(map(str, values))
            if key not in known:
                restorer = restorer or _restorer(row, arguments)
                scores = _score(row, images, restorer, _pictures(output, key))
                known[key] = dict(zip(COLUMNS, (*key, f"{published:.2f}", *scores), strict=True))
                tables.write(output / "table.csv", list(known.values()))
            beside = "" if math.isnan(published) else f", published {published:.2f}"
            print(f"{row.label:28} {name:8} {known[key]['psnr']} dB{beside}", flush=True)
    _write_markdown(table, known.values(), lacking, output / "table.md")
    _write_sheets(known, output)
    trainings.save_curves(run_dirs, output)
    print(f"Table: {output}/table.md; every score with its command: {output}/table.csv")


def _image_sets(rows):
    """({name: images} of the sets to score on, names of those that a paper has and are not here).

    Raises:
        ValueError: --dataset is not here, or none of the paper's sets.
    """
    names = [FLAGS.dataset] if FLAGS.dataset else {name for row in rows for name in row.published}
    image_sets, lacking, error = {}, [], None
    for name in sorted(names):
        try:
            image_sets[name] = datasets.load(
                name, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
            )
        except ValueError as reason:
            if FLAGS.dataset:
                raise
            error = reason
            lacking.append(name)
            print(f"Left out: {reason}", flush=True)
    if error and not image_sets:
        raise error
    return image_sets, lacking


def _arguments(row, output):
    """Arguments of a row's training, see trainings.arguments; [] for a baseline."""
    if not row.package:
        return []
    settings = {"noise": row.noise, **row.settings}
    name = f"{row.label}-{row.channels}".lower().replace(" ", "_").replace("'", "")
    length = row.length
    if FLAGS.budget:
        batch = 16 if row.package == "n2v_tf" else 1 if row.is_blind else 4
        settings |= {"schedule": "fast", "crop_size": 64, "batch_size": batch}
        if row.package == "n2v_tf":
            settings["perc_pix"] = 5.0  # at the notebook's 0.198 a crop teaches with 8 pixels
        if settings.get("noise_params") == "global":
            settings["noise_rate"] = 10.0
        length = trainings.crops_in(FLAGS.budget, name, row.package, settings, output)
    written = [f"--{k}" if v is True else f"--{k}={v}" for k, v in settings.items()]
    return trainings.arguments(row.package, output / f"{name}-{length}", length, written)


def _restorer(row, arguments):
    """(method, configuration, function of an example's inputs that gives the restored image)."""
    if not row.package:
        method = methods.find("ssdn_tf")  # its examples are images with Gaussian noise
        config = dataclasses.replace(method.default_config, channels=row.channels)
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


def _score(row, images, restorer, paths):
    """(PSNR, SSIM, seconds an image, PSNR of the first image), as text.

    paths: (clean, noisy, restored), where the pictures of the first image go.
    """
    from common.evaluation import quality, scoring

    method, config, restore = restorer
    scores = scoring.Scores(quality.psnr if row.is_rounded else quality.psnr_float)
    seconds = 0.0
    for _, clean, inputs in method.examples(images, config, noise=noises.parse(row.noise)):
        began = time.perf_counter()
        restored = restore(inputs)
        seconds += time.perf_counter() - began
        if not scores.psnr:
            for path, image in zip(paths, (clean, inputs["noisy"], restored), strict=True):
                sheets.keep(path, image)
        scores.add(clean, restored)
    return (
        f"{np.mean(scores.psnr):.3f}",
        f"{np.nanmean(scores.ssim):.4f}",
        f"{seconds / len(scores.psnr):.2f}",
        f"{scores.psnr[0]:.2f}",
    )


def _pictures(output, key):
    """Paths of the pictures of a set's first image: (clean, noisy, restored by a row)."""
    label, channels, name = (part.replace(" ", "_").replace("/", "_") for part in key[:3])
    folder = output / "pictures" / f"{name}-{channels}"
    run = [word for word in key[4].split() if word.startswith("--run_dir=")]
    label = run[0].rpartition("/")[2] if run else label  # trainings of another length are others
    return [folder / f"{part}.png" for part in ("clean", "noisy", f"restored-{label}")]


def _write_sheets(known, output):
    """Writes a sheet for each set: its first image, clean, noisy and restored by every row."""
    cells = {}
    for key, values in known.items():
        clean, noisy, restored = _pictures(output, key)
        of_set = cells.setdefault(clean.parent.name, [("clean", clean), ("noisy", noisy)])
        of_set.append((f"{key[0]} {values['first_psnr']} dB", restored))
    for name, of_set in cells.items():
        sheets.write(output / f"side_by_side-{name}.png", sheets.in_rows(sheets.kept(of_set)))


def _write_markdown(table, rows, lacking, path):
    """Writes the table for people: a line a row and set; under it the sets that are not here."""
    lengths = {row.label: row.trained for row in TABLES[table]}
    lines = [
        "| | set | published | ours | difference | seconds an image | published training | ours |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in (row for row in rows if row["row"] in lengths):
        published, ours = float(row["published"]), float(row["psnr"])
        crops = [w for w in row["training"].split() if w.startswith("--num_images=")]
        trained = f"{int(crops[0].partition('=')[2]):,} crops" if crops else ""
        beside = ("", "")
        if not math.isnan(published):
            beside = (f"{published:.2f}", f"{ours - published:+.2f}")
        cells = [row["row"], row["dataset"], beside[0], f"{ours:.2f}", beside[1], row["seconds"]]
        lines.append(f"| {' | '.join([*cells, lengths[row['row']], trained])} |")
    if lacking:
        lines += ["", f"Not here, and left out: {', '.join(lacking)}."]
    with atomic.replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
