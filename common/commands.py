"""The four commands of every method: train, evaluate, denoise, export."""

from common import quiet  # noqa: F401  # isort: skip  # before anything imports TensorFlow

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
    prediction,
    runs,
    training,
)

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

    def load(self, run_dir, precision="float32"):
        """The trained Denoiser of a run folder, to compute in the given precision."""
        config = runs.load_config(run_dir, self.name, type(self.named[self.default]))
        denoiser = self.build(dataclasses.replace(config, precision=precision))
        runs.load_weights(run_dir, denoiser)
        return denoiser


def train(method, doc):
    """Runs `python -m <method>.train`."""
    define = functools.partial(flags.define_training, method.named, method.default)
    flags.run(lambda: _train(method), define, doc)


def _train(method):
    if FLAGS.list_configs:
        print("\n".join(method.named))
        return
    flags.require("run_dir")
    run_dir = pathlib.Path(FLAGS.run_dir)
    config, is_short = _training_config(method, run_dir)
    _check_intervals(config)
    image_set = datasets.load(config.train_set, FLAGS.data_dir, max_images=FLAGS.max_images)
    validation_set = datasets.load(config.validation_set, FLAGS.data_dir, held_back=True)

    from common import pipeline  # after the checks above: importing TensorFlow takes seconds

    usable = pipeline.usable_for_crops(image_set, config)
    batches = functools.partial(
        pipeline.training_batches, usable, config, targets=method.targets(config)
    )
    batches(start=0)  # what is wrong with the data shows before a run folder is made
    runs.save_config(run_dir, method.name, config)
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
    """The configuration of a new run, or that of the run to resume: (config, whether short)."""
    has_run = (run_dir / "config.json").exists()
    if has_run and not FLAGS.resume:
        raise runs.RunError(f"{run_dir}: has a run already; --resume goes on with it.")
    if not has_run:
        if FLAGS.resume:
            print(f"{run_dir}: nothing to resume, starting afresh.", flush=True)
        return flags.read_config(method.named, method.default, method.short)
    config = runs.load_config(run_dir, method.name, type(method.named[method.default]))
    for name, value in flags.given_fields(config).items():
        if value != getattr(config, name):
            raise runs.RunError(
                f"{run_dir}: was started with {name}={getattr(config, name)!r}, not {value!r}; "
                "a resumed run keeps its settings."
            )
    return config, False


def _check_intervals(config):
    for name in ("checkpoint_every", "eval_every", "max_images"):
        if FLAGS[name].value is not None and FLAGS[name].value < 1:
            raise ValueError(f"{name}={FLAGS[name].value}: expected at least 1.")


def evaluate(method, doc):
    """Runs `python -m <method>.evaluate`."""
    flags.run(lambda: _evaluate(method), flags.define_evaluation, doc)


def _evaluate(method):
    flags.require("run_dir")
    denoiser = method.load(FLAGS.run_dir, FLAGS.precision)
    config = denoiser.config
    noise = FLAGS.noise or config.noise
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
        scores = evaluation.Scores()
        for _, clean, noisy, level in examples():
            scores.add(clean, function(noisy, _sigma(noise, level)))
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


class _Progress:
    """Says every ten seconds how far an evaluation is."""

    def __init__(self, total):
        self._total, self._done = total, 0
        self._began = self._shown = time.monotonic()

    def step(self):
        self._done += 1
        now = time.monotonic()
        if now - self._shown > 10:
            self._shown = now
            left = (now - self._began) / self._done * (self._total - self._done) / 60
            print(f"image {self._done} of {self._total}  {left:.1f} min left", flush=True)


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
    level = FLAGS.noise_level
    if level is not None:
        if level <= 0:
            raise ValueError(f"noise_level={level}: expected more than 0.")
        if config.noise_params != "known":
            raise ValueError("noise_level: this model estimates the noise itself.")
        level = noise_levels.parse(config.noise).level(level)
    paths = [path for pattern in FLAGS.input for path in images.list_files(pattern)]
    output = pathlib.Path(FLAGS.output)
    targets = [output / path.name for path in paths]
    for path, target in zip(paths, targets):
        if targets.count(target) > 1:
            raise ValueError(f"{path}: another input has this name too; use two --output folders.")
        if target.exists() and target.samefile(path):
            raise ValueError(f"{path}: --output is the folder of the input, which would be lost.")
    bad = 0
    for number, (path, target) in enumerate(zip(paths, targets), start=1):
        try:
            print(
                f"{number}/{len(paths)} {_denoise_file(denoiser, path, target, level)}", flush=True
            )
        except images.ImageError as error:
            bad += 1
            print(f"{number}/{len(paths)} {error} Skipped.", flush=True)
    if bad:
        raise ValueError(
            f"{bad} of {len(paths)} files could not be restored; they are named above."
        )


def _denoise_file(denoiser, path, target, level):
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
    restored = pages.copy()
    std = np.empty(colours.shape, np.float32) if FLAGS.std else None
    levels = []
    for i, page in enumerate(colours):
        noisy = images.to_unit(page, config.white_level)
        result = prediction.restore(denoiser, noisy, level)
        restored[i, ..., : config.channels] = images.from_unit(
            result["denoised"], pages.dtype, config.white_level
        )
        if "noise_std" in result:
            levels.append(float(result["noise_std"].mean()))
        if std is not None:
            if "std" not in result:
                raise ValueError(f"std: models of pipeline={config.pipeline!r} do not predict it.")
            std[i] = result["std"]
    images.write(target, restored)
    said = f"{path} -> {target}"
    if levels and config.noise_params != "known":
        said += f"  estimated {_say_noise(config, float(np.mean(levels)))}"
    if std is not None:
        std_path = target.with_name(f"{target.stem}-std.tif")
        images.write(std_path, std)
        said += f"  std: {std_path}"
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

    from common import export as saved_models  # TensorFlow only, and the only one to need it

    path = saved_models.export(denoiser, FLAGS.output)
    print(f"Exported: {path}")
