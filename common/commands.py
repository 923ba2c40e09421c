"""The four commands of every method: train, evaluate, denoise, export."""

from common import quiet  # noqa: F401  # isort: skip  # before anything imports TensorFlow

import collections
import collections.abc
import dataclasses
import functools
import pathlib
import time

import numpy as np

from common import (
    baselines,
    datasets,
    evaluation,
    figures,
    files,
    flags,
    images,
    noise_levels,
    pipeline,
    prediction,
    runs,
    training,
)
from common import export as saved_models

FLAGS = flags.FLAGS
MAX_SHEET_ROWS = 12  # of a contact sheet


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method:
    """What the commands need to know of a method.

    name: the package's; named: configurations by name, all of one class; default: name of the one
    to start from; short: settings for the sample photographs; build: configuration -> Denoiser;
    targets: configuration -> "noisy", "clean" or "second", see pipeline.training_batches.
    """

    name: str
    named: dict
    default: str
    short: dict
    build: collections.abc.Callable
    targets: collections.abc.Callable

    def load_config(self, run_dir):
        """(configuration, fingerprint of the training images) of a run folder."""
        return runs.load_config(run_dir, self.name, type(self.named[self.default]))

    def load(self, run_dir, precision="float32"):
        """The trained Denoiser of a run folder, to compute in the given precision."""
        config, _ = self.load_config(run_dir)
        denoiser = self.build(dataclasses.replace(config, precision=precision))
        runs.load_weights(run_dir, denoiser)
        return denoiser


def train(method, doc):
    """Runs `python -m <method>.train`."""
    define = functools.partial(flags.define_training, method.named, method.default, method.short)
    flags.run(lambda: _train(method), define, doc)


def _train(method):
    if FLAGS.list_configs:
        print("\n".join(method.named))
        return
    flags.require("run_dir")
    run_dir = pathlib.Path(FLAGS.run_dir)
    config, data, is_short = _training_config(method, run_dir)
    image_set = datasets.load(config.train_set, FLAGS.data_dir, max_images=FLAGS.max_images)
    usable = pipeline.usable_for_crops(image_set, config)
    if data and data != usable.fingerprint():
        raise runs.RunError(
            f"{run_dir}: was trained on other images of {config.train_set}; a resumed run needs "
            "the same ones (--max_images, --data_dir, files added or removed)."
        )
    validation_set = datasets.load(
        config.validation_set,
        FLAGS.data_dir,
        held_back=True,
        max_images=evaluation.VALIDATION_IMAGES,
    )
    batches = functools.partial(
        pipeline.training_batches, usable, config, targets=method.targets(config)
    )
    next(iter(batches(start=0)))  # what is wrong with the data shows before a run folder is made
    runs.save_config(run_dir, method.name, config, usable.fingerprint())
    training.announce(run_dir, config, len(usable), is_short)
    training.fit(
        method.build(config),
        lambda start: batches(start=start),
        config,
        run_dir,
        validate=evaluation.validator(validation_set, config),
        resume=FLAGS.resume,
        every=(
            FLAGS.checkpoint_every or config.num_images / 20,
            FLAGS.eval_every or config.num_images / 10,
        ),
    )


def _training_config(method, run_dir):
    """Of a new run, or of the one to resume: (config, fingerprint of its images, whether short)."""
    has_run = (run_dir / "config.json").exists()
    if has_run and not FLAGS.resume:
        raise runs.RunError(f"{run_dir}: has a run already; --resume goes on with it.")
    if not has_run:
        if FLAGS.resume:
            print(f"{run_dir}: nothing to resume, starting afresh.", flush=True)
        config, is_short = flags.read_config(method.named, method.default, method.short)
        return config, "", is_short
    config, data = method.load_config(run_dir)
    for name, value in flags.given_fields(config).items():
        if value != getattr(config, name):
            raise runs.RunError(
                f"{run_dir}: was started with {name}={getattr(config, name)!r}, not {value!r}; "
                "a resumed run keeps its settings."
            )
    return config, data, False


def evaluate(method, doc):
    """Runs `python -m <method>.evaluate`."""
    flags.run(lambda: _evaluate(method), flags.define_evaluation, doc)


def _evaluate(method):
    flags.require("run_dir")
    denoiser = method.load(FLAGS.run_dir, FLAGS.precision)
    config = denoiser.config
    noise = FLAGS.noise or config.noise
    _check_noise(config, noise)
    image_set = datasets.load(
        FLAGS.dataset, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    repeats = FLAGS.repeats or datasets.REPEATS.get(FLAGS.dataset, 1)
    examples = functools.partial(
        evaluation.noisy_images,
        image_set,
        noise,
        channels=config.channels,
        seed=FLAGS.seed,
        repeats=repeats,
        white_level=config.white_level,
    )
    dataset = FLAGS.dataset.replace(" ", "_")
    for name, function in baselines.available(FLAGS.baselines).items():
        scores, progress = evaluation.Scores(), _Progress(repeats * len(image_set), f"{name}: ")
        for _, clean, noisy, level in examples():
            scores.add(clean, function(noisy, _sigma(noise, level)))
            progress.step()
        print(f"{scores.line(dataset, noise)} method={name}", flush=True)

    output = FLAGS.output and pathlib.Path(FLAGS.output)
    scores, calibration, rows = evaluation.Scores(), evaluation.Calibration(), []
    progress = _Progress(repeats * len(image_set))
    for name, clean, noisy, level in examples():
        result = prediction.restore(denoiser, noisy, level)
        scores.add(clean, result["denoised"])
        calibration.add(clean, result)
        if output and len(scores.psnr) <= len(image_set):  # pictures of the first repeat
            _write_pictures(output, name, noisy, result)
            if len(rows) < MAX_SHEET_ROWS:
                rows.append(evaluation.sheet_row(name, clean, noisy, result))
        progress.step()
    if output:
        crop = (FLAGS.sheet_crop, FLAGS.sheet_crop) if FLAGS.sheet_crop else None
        with files.replacing(output / "contact_sheet.png") as temporary:
            figures.contact_sheet(rows, crop=crop).save(temporary)
        print(f"Pictures: {output}/, the first ones together: {output}/contact_sheet.png")
    if str(calibration):
        print(calibration)
    print(scores.line(dataset, noise), flush=True)


def _check_noise(config, noise):
    """Refuses noise that a model of known noise would misread: its level has another meaning."""
    if config.has_likelihood and config.noise_params == "known":
        model = noise_levels.parse(noise).model
        if model != config.noise_model:
            raise ValueError(
                f"noise={noise!r}: this model is for known {config.noise_model} noise, "
                f"as {config.noise}."
            )


class _Progress:
    """Says every ten seconds how far an evaluation is."""

    def __init__(self, total, label=""):
        self._total, self._label, self._done = total, label, 0
        self._began = self._shown = time.monotonic()

    def step(self):
        self._done += 1
        now = time.monotonic()
        if now - self._shown > 10:
            self._shown = now
            left = (now - self._began) / self._done * (self._total - self._done) / 60
            said = f"image {self._done} of {self._total}  {left:.1f} min left"
            print(f"{self._label}{said}", flush=True)


def _write_pictures(output, name, noisy, result):
    images.write(output / f"{name}-noisy.png", images.from_unit(noisy, np.uint8))
    images.write(output / f"{name}-denoised.png", images.from_unit(result["denoised"], np.uint8))
    if "std" in result:
        images.write(output / f"{name}-std.tif", result["std"])


def _sigma(noise, level):
    """Deviation of the noise at middle grey, what the classical denoisers go by."""
    model = noise_levels.parse(noise).model
    if model == "poisson":
        return (0.5 / level) ** 0.5
    return level / 3 if model == "impulse" else level


def denoise(method, doc):
    """Runs `python -m <method>.denoise`."""
    flags.run(lambda: _denoise(method), flags.define_denoising, doc)


def _denoise(method):
    flags.require("run_dir", "input", "output")
    denoiser = method.load(FLAGS.run_dir, FLAGS.precision)
    config = denoiser.config
    if FLAGS.std and not config.has_likelihood:
        raise ValueError(f"std: models of pipeline={config.pipeline!r} do not predict it.")
    level = _given_level(config, FLAGS.noise_level)
    paths = [path for pattern in FLAGS.input for path in images.list_files(pattern)]
    jobs = [_job(path, pathlib.Path(FLAGS.output), FLAGS.std) for path in paths]
    _check_targets(jobs)
    bad = 0
    for number, job in enumerate(jobs, start=1):
        try:
            said = _denoise_file(denoiser, level, *job)
        except images.ImageError as error:
            bad += 1
            said = f"{error} Skipped."
        print(f"{number}/{len(jobs)} {said}", flush=True)
    if bad:
        raise ValueError(f"{bad} of {len(jobs)} files could not be restored; they are named above.")


def _given_level(config, strength):
    """--noise_level in the string's units -> noise parameter, or None where none is needed.

    Raises:
        ValueError: out of range, for a model that has no use for it, or missing.
    """
    takes_level = config.has_likelihood and config.noise_params == "known"
    if strength is None:
        return noise_levels.trained(config.noise) if takes_level else None
    if not takes_level:
        raise ValueError("noise_level: this model does not take it; it estimates, or needs none.")
    noise = noise_levels.parse(config.noise)
    if not 0 < strength < (100 if noise.model == "impulse" else float("inf")):
        raise ValueError(f"noise_level={strength}: expected {noise_levels.MODELS[noise.model]}.")
    return noise.level(strength)


def _job(path, output, with_std):
    """(input, output, file of the standard deviation or None)."""
    target = output / path.name
    return path, target, target.with_name(f"{target.stem}-std.tif") if with_std else None


def _check_targets(jobs):
    """Refuses to write one file over another, or over an input."""
    inputs = {path.resolve() for path, _, _ in jobs}
    written = collections.Counter(
        path.resolve() for job in jobs for path in job[1:] if path is not None
    )
    for path, count in written.items():
        if path in inputs:
            raise ValueError(f"{path}: an input, which would be lost; choose another --output.")
        if count > 1:
            raise ValueError(f"{path}: would be written {count} times; use two --output folders.")


def _denoise_file(denoiser, level, path, target, std_target):
    """Restores one file, page by page; returns what to say about it."""
    config = denoiser.config
    pages = images.read(path)
    colours = pages[..., : 3 if pages.shape[-1] >= 3 else 1]
    if pages.shape[-1] > 4 or colours.shape[-1] != config.channels:
        raise images.ImageError(
            f"{path}: {pages.shape[-1]} channels, this model is for {config.channels}."
        )
    if pages.dtype == np.float32 and not config.white_level and np.abs(colours).max() > 4:
        raise images.ImageError(
            f"{path}: values up to {colours.max():g}, expected about [0, 1]; "
            "train with --white_level."
        )
    restored, std, levels = pages.copy(), [], []
    for i, page in enumerate(colours):
        noisy = images.to_unit(page, config.white_level)
        result = prediction.restore(denoiser, noisy, level)
        restored[i, ..., : config.channels] = images.from_unit(
            result["denoised"], pages.dtype, config.white_level
        )
        if "noise_std" in result:
            levels.append(float(result["noise_std"].mean()))
        if std_target:
            std.append(result["std"])
    images.write(target, restored)
    said = f"{path} -> {target}"
    if levels and config.noise_params != "known":
        said += f"  estimated {_say_noise(config, float(np.mean(levels)))}"
    if std_target:
        images.write(std_target, np.stack(std))
        said += f"  std: {std_target}"
    return said


def _say_noise(config, noise_std):
    if config.noise_model == "impulse":
        return f"share of replaced pixels: {100 * noise_std * 2.55:.1f} %"
    return f"sigma: {255 * noise_std:.2f} (of 255)"


def export(method, doc):
    """Runs `python -m <method>.export`."""
    flags.run(lambda: _export(method), flags.define_export, doc)


def _export(method):
    flags.require("run_dir", "output")
    denoiser = method.load(FLAGS.run_dir)
    path = saved_models.export(denoiser, FLAGS.output)
    print(f"Exported: {path}")
