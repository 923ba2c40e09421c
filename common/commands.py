"""The four commands of every method: train, evaluate, denoise, export."""

from common import quiet  # noqa: F401  # isort: skip  # before anything imports TensorFlow

import collections.abc
import dataclasses
import functools
import pathlib

import numpy as np

from common import (
    baselines,
    bioimage,
    cluster,
    datasets,
    evaluation,
    figures,
    files,
    flags,
    images,
    metrics,
    noise_levels,
    pipeline,
    prediction,
    progress,
    restoring,
    runs,
    stacks,
    training,
)
from common import export as saved_models
from common import noise as noises

FLAGS = flags.FLAGS
MAX_SHEET_ROWS = 12  # of a contact sheet


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method:
    """What the commands need to know of a method.

    name: the package's; named: configurations by name, all of one class; default: name of the one
        to start from; short: settings for the images that come with the project.
    build: configuration -> Denoiser; optimizer: configuration -> Keras optimiser.
    deploy: trained Denoiser -> the one that restores files and is exported.
    training_images: (configuration, data folder, most images) -> ImageSet large enough for crops.
    batches: (ImageSet, configuration, start) -> batches as of pipeline.training_batches.
    prepare: (Denoiser, ImageSet): what a new one takes from the images it will be trained on.
    noisy_images: (configuration, data folder, most images) -> ImageSet, for `inspect` alone.
    inspect: (configuration, ImageSet) -> lines about images that are noisy themselves, or None.
    validation: (configuration, data folder) -> function as evaluation.validator takes it.
    validation_batch: (ImageSet, configuration) -> (x, y) that the loss is looked at on, or None.
    examples: (ImageSet, configuration, noise=, seed=, repeats=) -> as of evaluation.noisy_images.
    psnr: (clean, restored) -> dB.
    given: what to call the images that come in.
    told: fields of the configuration, by the names under which RESULT lines tell them.
    baselines: classical methods by name, functions of `baseline_inputs` of an example and of the
        deviation of its noise.
    cite: (reference, DOI) of the paper.
    """

    name: str
    named: dict
    default: str
    short: dict
    build: collections.abc.Callable
    optimizer: collections.abc.Callable
    batches: collections.abc.Callable
    cite: tuple
    deploy: collections.abc.Callable = lambda denoiser: denoiser
    training_images: collections.abc.Callable = pipeline.training_images
    prepare: collections.abc.Callable = lambda denoiser, image_set: None
    noisy_images: collections.abc.Callable = pipeline.load_images
    inspect: collections.abc.Callable = None
    validation: collections.abc.Callable = evaluation.validation
    validation_batch: collections.abc.Callable = lambda image_set, config: None
    examples: collections.abc.Callable = evaluation.examples
    psnr: collections.abc.Callable = metrics.psnr
    given: str = "noisy"
    told: dict = dataclasses.field(default_factory=dict)
    baselines: dict = dataclasses.field(default_factory=lambda: baselines.NAMES)
    baseline_inputs: tuple = ("noisy",)

    def load_config(self, run_dir):
        """(configuration, fingerprint of the training images) of a run folder."""
        return runs.load_config(run_dir, self.name, type(self.named[self.default]))

    def load(self, run_dir, precision="float32"):
        """The trained Denoiser of a run folder, to compute in the given precision."""
        config, _ = self.load_config(run_dir)
        denoiser = self.build(dataclasses.replace(config, precision=precision))
        runs.load_weights(run_dir, denoiser)
        return denoiser

    def load_deployed(self, run_dir, precision="float32"):
        """What restores files, of a run folder."""
        return self.deploy(self.load(run_dir, precision))


def say(line):
    """Prints at once, also into a pipe."""
    print(line, flush=True)


def train(method, doc):
    """Runs `python -m <method>.train`."""

    def define():
        flags.define_training(method.named, method.default, method.short)
        if method.inspect:
            flags.define_check()

    flags.run(lambda: _train(method), define, doc)


def _train(method):
    if FLAGS.list_configs:
        print("\n".join(method.named))
        return
    if method.inspect and FLAGS.check_only:
        _check(method)
        return
    flags.require("run_dir")
    run_dir = pathlib.Path(FLAGS.run_dir)
    group = cluster.parse(FLAGS.cluster)
    config, data, is_short = _training_config(method, run_dir, group)
    group.join(config.batch_size)
    usable = method.training_images(config, FLAGS.data_dir, FLAGS.max_images)
    if method.inspect and config.noise == "none":
        say("\n".join(method.inspect(config, usable)))
    fingerprint = usable.fingerprint() + noises.fingerprint(noise_levels.parse(config.noise))
    if data and data != fingerprint:
        raise runs.RunError(
            f"{run_dir}: was trained on other images of {usable.name}; a resumed run needs "
            "the same ones (--max_images, --data_dir, files added or removed; fonts of text)."
        )
    validate = None
    if group.count == 1:
        examples = method.validation(config, FLAGS.data_dir)
        for _ in examples():  # what is wrong with them shows now, not after hours
            pass
        validate = evaluation.validator(
            examples,
            method.psnr,
            method.validation_batch(usable, config),
            method.given,
        )
    batches = functools.partial(method.batches, usable, config)
    next(iter(batches(0)))  # what is wrong with the data shows before a run folder is made
    if group.writes:
        runs.save_config(run_dir, method.name, config, fingerprint)
    training.announce(run_dir, config, usable, is_short, group)
    denoiser = method.build(config)
    method.prepare(denoiser, usable)
    training.fit(
        denoiser,
        method.optimizer(config),
        batches,
        config,
        run_dir,
        validate=validate,
        resume=FLAGS.resume,
        group=group,
        every=(
            FLAGS.checkpoint_every or config.num_images / 20,
            FLAGS.eval_every or config.num_images / 10,
        ),
    )


def _check(method):
    """What is odd about the images that a training would see."""
    config, _ = flags.read_config(method.named, method.default, method.short)
    if config.noise != "none":
        raise ValueError(
            f"check_only is for images that are noisy themselves; noise={config.noise!r} adds some."
        )
    found = method.noisy_images(config, FLAGS.data_dir, FLAGS.max_images)
    say("\n".join(method.inspect(config, found)))


def _training_config(method, run_dir, group):
    """Of a new run, or of the one to resume: (config, fingerprint of its images, whether short)."""
    has_run = (run_dir / "config.json").exists()
    if not group.writes and not FLAGS.resume:
        has_run = False  # the first process is just making it
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


def evaluate(method, doc, *, define=lambda: None, adapt=lambda config: config):
    """Runs `python -m <method>.evaluate`.

    define: defines flags of the method's own; adapt: called when they are read with the model's
    configuration, gives that by which examples are made.
    """

    def define_all():
        flags.define_evaluation(method.named[method.default].train_set, list(method.baselines))
        define()

    flags.run(lambda: _evaluate(method, adapt), define_all, doc)


def _evaluate(method, adapt):
    flags.require("run_dir")
    denoiser = method.load(FLAGS.run_dir, FLAGS.precision)
    config = adapt(denoiser.config)
    told = {name: getattr(config, field) for name, field in method.told.items()}
    if FLAGS.reference:
        if method.deploy(denoiser).scale > 1:
            raise ValueError("reference: this model is scored on images that it shrinks itself.")
        examples, count, dataset, added = _examples_with_reference(denoiser)
        measure, fit = metrics.psnr_float, metrics.fitted
        print("PSNR of the least-squares affine fit to the reference, peak: its range.")
    else:
        if denoiser.config.knows_files_alone:
            raise ValueError(
                "this model is for files like those it was trained on: give noisy ones as "
                "--dataset, and their --reference."
            )
        examples, count, dataset, added = _examples_with_noise(method, config)
        measure, fit = method.psnr, lambda image, clean: image
    for name, function in baselines.available(FLAGS.baselines, method.baselines).items():
        scores = evaluation.Scores(measure)
        steps = progress.Progress(count, f"{name}: ", show=say)
        for _, clean, inputs in examples():
            sigma = _deviation(added, inputs)
            if missing := set(method.baseline_inputs) - set(inputs):
                raise ValueError(f"baselines: of files of one's own no {missing.pop()} is known.")
            known = [inputs[part] for part in method.baseline_inputs]
            scores.add(clean, fit(function(*known, sigma), clean))
            steps.step()
        print(f"{scores.line(dataset, added, told)} method={name}", flush=True)

    output = FLAGS.output and pathlib.Path(FLAGS.output)
    scores, calibration = evaluation.Scores(measure), evaluation.Calibration()
    rows, seen = [], set()
    steps = progress.Progress(count, show=say)
    for name, clean, inputs in examples():
        result = prediction.restore(denoiser, inputs)
        result["denoised"] = fit(result["denoised"], clean)
        scores.add(clean, result["denoised"])
        calibration.add(clean, result)
        if output and name not in seen:  # pictures of the first repeat
            seen.add(name)
            noisy = fit(inputs["noisy"], clean)
            _write_pictures(output, name, {method.given: noisy}, result)
            if len(rows) < MAX_SHEET_ROWS:
                rows.append(evaluation.sheet_row(name, clean, noisy, result, measure, method.given))
        steps.step()
    if output:
        crop = (FLAGS.sheet_crop, FLAGS.sheet_crop) if FLAGS.sheet_crop else None
        with files.replacing(output / "contact_sheet.png") as temporary:
            figures.contact_sheet(rows, crop=crop).save(temporary)
        print(f"Pictures: {output}/, the first ones together: {output}/contact_sheet.png")
    if str(calibration):
        print(calibration)
    print(scores.line(dataset, added, told), flush=True)


def _examples_with_noise(method, config):
    """Clean images and noise to add: (function that yields examples, count, data set, noise)."""
    added = FLAGS.noise or config.validation_noise
    config.check_noise("noise", added)
    image_set = datasets.load(
        FLAGS.dataset, FLAGS.data_dir, held_back=True, max_images=FLAGS.max_images
    )
    repeats = FLAGS.repeats or datasets.REPEATS.get(FLAGS.dataset, 1)
    examples = functools.partial(
        method.examples, image_set, config, noise=added, seed=FLAGS.seed, repeats=repeats
    )
    return examples, repeats * len(image_set), FLAGS.dataset.replace(" ", "_"), added


def _examples_with_reference(denoiser):
    """Noisy files and what they are compared with, likewise."""
    config = denoiser.config
    dims = FLAGS.dims or config.file_axes
    settings = {"axes": dims, "spatial": denoiser.spatial, "channels": config.channels}
    noisy, clean = (
        stacks.load(path, max_images=FLAGS.max_images, **settings)
        for path in (FLAGS.dataset, FLAGS.reference)
    )
    examples = functools.partial(evaluation.paired, noisy, clean, config.white_level)
    next(examples())
    return examples, len(noisy), FLAGS.dataset.replace(" ", "_"), "own"


def _deviation(added, inputs):
    """Of the noise, for classical denoisers; estimated where nobody knows."""
    if added == "own":
        return baselines.estimated_deviation(inputs["noisy"])
    return noise_levels.deviation(added, inputs.get("noise_level"))


def _write_pictures(output, name, given, result):
    for kind, image in (given | {"denoised": result["denoised"]}).items():
        # Volumes, and channels that are no colours, are no pictures.
        suffix = "png" if image.ndim == 3 and image.shape[-1] in (1, 3) else "tif"
        images.write(output / f"{name}-{kind}.{suffix}", images.from_unit(image, np.uint8))
    if "std" in result:
        images.write(output / f"{name}-std.tif", result["std"])


def denoise(method, doc, *, define=flags.define_denoising, choose=lambda restore: (restore, True)):
    """Runs `python -m <method>.denoise`.

    define: defines the flags; choose: called when they are read with what restores an image, as
    prediction.restore does, gives what does it instead and whether that may see parts of an image.
    """
    flags.run(lambda: _denoise(method, choose), define, doc)


def _denoise(method, choose):
    flags.require("run_dir", "input", "output")
    denoiser = method.load_deployed(FLAGS.run_dir, FLAGS.precision)
    restore, in_parts = choose(prediction.restore_augmented if FLAGS.tta else prediction.restore)
    tiles = {
        "max_pixels": prediction.pixels_in(denoiser, FLAGS.memory_gb),
        "tile_size": FLAGS.tile_size,
        "halo": FLAGS.halo,
    }
    if not in_parts:
        restore = functools.partial(restore, **tiles)
    restoring.restore_files(
        denoiser,
        FLAGS.input,
        FLAGS.output,
        noise_level=FLAGS.noise_level,
        with_std=FLAGS.std,
        axes=FLAGS.dims,
        dtype=FLAGS.dtype,
        restore=restore,
        tiles=tiles if in_parts else None,
        max_bytes=int(FLAGS.memory_gb * 1e9 / 4) if in_parts else None,
        show=say,
    )


def export(method, doc):
    """Runs `python -m <method>.export`."""
    flags.run(lambda: _export(method), flags.define_export, doc)


def _export(method):
    flags.require("run_dir", "output")
    denoiser = method.load_deployed(FLAGS.run_dir)
    name = method.name.replace(".", "_")
    if FLAGS.format == "bioimageio":
        path = bioimage.export(denoiser, FLAGS.output, name=name, cite=method.cite)
    elif FLAGS.format == "onnx":
        path = saved_models.export_onnx(denoiser, FLAGS.output)
    else:
        path = saved_models.export(denoiser, FLAGS.output, name=FLAGS.model_name or name)
    print(f"Exported: {path}")
