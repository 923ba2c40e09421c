"""Shared parts of the programs that train several models: commands and tables."""

import csv
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

from common.commands import flags
from common.files import atomic
from noise2x import methods

FLAGS = flags.FLAGS
STEPS, WARM_UP = 20, 3  # that are timed, and the first of them that do not count


def arguments(package, run_dir, num_images, settings, *, train_set=None):
    """Arguments for python that train a network, with all settings that the result depends on.

    Args:
        package: of the method, for instance "n2n_tf".
        run_dir: run folder.
        num_images: length of the training at --scale=1, in crops.
        settings: list of flags of the training.
        train_set: replaces --train_set.

    Returns:
        list of str.
    """
    length = max(int(num_images * FLAGS.scale), 4)
    own = [f"--num_images={length}", f"--precision={FLAGS.precision}"]
    own += [f"--train_set={train_set or FLAGS.train_set}"]
    return ["-m", f"{package}.train", f"--run_dir={run_dir}", *settings, *own]


def trained(arguments):
    """Trains a model, or continues its training, if it is not finished; returns the model.

    arguments: of `arguments`.

    Raises:
        ValueError: the training failed; it has printed its error.
    """
    own = [f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else []
    done = subprocess.run([sys.executable, *arguments, *own, "--resume"], check=False)
    package = arguments[1].removesuffix(".train")
    if done.returncode:
        raise ValueError(f"{package}.train ended with exit code {done.returncode}.")
    return methods.find(package).load(run_dir(arguments), FLAGS.precision)


def run_dir(arguments):
    """The run folder of a training, a pathlib.Path; arguments: of `arguments`."""
    return pathlib.Path(arguments[2].partition("=")[2])


def save_curves(run_dirs, output, *, epoch=None):
    """Draws the logs of trainings into curves.png, if there are any.

    Args:
        run_dirs: {label: run folder}.
        output: pathlib.Path of the folder for the figure.
        epoch: crops in an epoch; the diagrams are over epochs then [over crops].
    """
    from common.evaluation import figures

    logs = {label: _log(folder / "log.csv") for label, folder in run_dirs.items()}
    logs = {label: rows for label, rows in logs.items() if rows}
    if logs:
        figures.compare_curves(logs, output / "curves.png", epoch=epoch)
        print(f"Curves of the trainings: {output}/curves.png")


def _log(path):
    """Rows of a log, {column: text}; [] if there is none."""
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def crops_in(minutes, name, package, settings, output):
    """How many crops a training shows in so many minutes, a whole number of steps.

    Steps with every size of crops are timed first. The times are kept in speed.json: a machine that
    is busy later makes the trainings longer, and an interrupted command goes on with trainings of
    the same length.

    Args:
        minutes: of the training.
        name: of the training, in speed.json.
        package: of its method.
        settings: dict of its settings, with batch_size; the others are those of the named
            configuration `config`, or the method's defaults.
        output: pathlib.Path of the folder for speed.json.
    """
    path = output / "speed.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    if name not in known:
        print(f"{name}: timing its steps ...", flush=True)
        known[name] = _seconds_of_a_crop(methods.find(package), settings)
        with atomic.replacing(path) as temporary:
            temporary.write_text(json.dumps(known, indent=2) + "\n")
    size = settings["batch_size"]
    return size * max(1, round(60 * minutes / known[name] / size))


def _seconds_of_a_crop(method, settings):
    """Seconds a crop: medians of steps with each size of crops, weighted by their number."""
    from common.training import loop

    shared = {"precision": FLAGS.precision, "train_set": FLAGS.train_set, "num_images": 10**6}
    settings = dict(settings)
    named = method.named[settings.pop("config", method.default)]
    config = dataclasses.replace(named, **shared | settings).completed()
    total, before = 0.0, 0
    for stage in config.crop_stages():
        of_stage = dataclasses.replace(
            config, crop_size=config.crop_size * stage.factor, crop_growth=1
        )
        images = method.training_images(of_stage, FLAGS.data_dir)
        denoiser = method.build(of_stage, images)
        loop.compile_for_training(denoiser, method.optimizer(of_stage))
        times = []
        for x, y in method.batches(images, of_stage).take(STEPS):
            denoiser.train_on_batch(x, y)
            times.append(time.perf_counter())
        step = float(np.median(np.diff(times)[WARM_UP:]))
        total += (stage.end - before) * step
        before = stage.end
    return total / config.num_images
