"""`denoise`: from files to restored files."""

from __future__ import annotations

import functools
import pathlib
import typing
from collections.abc import Callable

from absl import app

from common import processor, progress
from common.commands import calibrating, flags, running
from common.files import image_files, listing
from common.files.errors import ImageError
from common.method import Method
from common.training import runs

if typing.TYPE_CHECKING:
    from common.restoring import jobs

FLAGS = flags.FLAGS
GENTLE = 0.25  # strength for files with almost no noise: a model of white noise takes detail there


def denoise(
    method: Method,
    doc: str,
    *,
    define: Callable[[], None] = flags.define_denoising,
    choose_restorer: Callable[..., typing.Any] = lambda restore: (restore, True),
) -> None:
    """Runs `python -m <method>.denoise`.

    Args:
        method: what was trained.
        doc: the module's docstring, shown by --help.
        define: defines the flags.
        choose_restorer: called when the flags are read with the function that restores an image,
            as prediction.restore does; gives the one to use, and whether it may see an image part
            by part.
    """
    running.run(
        lambda arguments: _denoise(method, arguments, choose_restorer),
        define,
        doc,
        takes_arguments=True,
    )


def input_patterns(arguments: list[str]) -> list[str]:
    """Files, folders and globs of --input and of the words that are no flags.

    Raises:
        UsageError: there are none.
    """
    patterns = [*(FLAGS.input or []), *arguments]
    if not patterns:
        raise app.UsageError("Name the files to restore: photo.jpg, a folder, or 'scans/*.tif'.")
    return patterns


def _denoise(method, arguments, choose_restorer):
    from common.restoring import jobs

    patterns = input_patterns(arguments)
    _check_output()
    calibrating.check_flags()
    run_dir = None
    # What was trained here is rarely what can be calibrated.
    newest = not calibrating.is_wanted() and runs.newest_finished(method.name)
    if FLAGS.run_dir or not method.ready or newest:
        run_dir = running.finished_run(method.name, f"python -m {method.name}.train")
        method.load_config(run_dir)  # what is wrong with it shows first
    entered = {"recursive": FLAGS.recursive, "without": FLAGS.output}
    everything = [f for pattern in patterns for f in listing.images_of(pattern, **entered)]
    originals = listing.without_results(everything)
    for pattern in patterns:
        for line in listing.left_out(pattern, **entered):
            progress.say(line)
    if earlier := len(everything) - len(originals):
        progress.say(f"Left out {earlier} files that an earlier run made, *{listing.RESULT}.*")
    files = listing.marked(originals)
    todo, restorers = [], {}
    models = _models_for(method, run_dir, files)
    for model, fitting in models.items():
        suffix = f"-{model}" if len(models) > 1 else ""
        asked = run_dir, FLAGS.strength, FLAGS.noise_level
        own = {"suffix": suffix, "careful": asked == (None, None, None)}
        planned, restore = plan(method, model, fitting, choose_restorer, **own)
        todo += planned
        restorers |= {job[0]: restore for job in planned}
    kept = [file.path for file in everything]
    jobs.do_each(todo, lambda path, *out: restorers[path](path, *out), show=progress.say, kept=kept)


def _check_output():
    """Raises ValueError if --output is the name of a file: it is a folder."""
    if not FLAGS.output or (output := pathlib.Path(FLAGS.output)).is_dir():
        return
    if output.exists() or output.suffix.lower() in image_files.SUFFIXES:
        raise ValueError(
            f"output={FLAGS.output!r}: expected a folder; files keep their names in it."
        )


def _models_for(method, run_dir, files):
    """{run folder or name of a shipped model: the files to restore with it}."""
    if run_dir is not None:
        return {run_dir: files}
    from common.restoring import file_by_file

    grouped = file_by_file.by_channels(files, list(method.ready), FLAGS.dims)
    for channels in grouped:
        name = method.ready[channels]
        progress.say(f"Model: {name}, which comes with the project; noise2x models {name}")
    return {method.ready[channels]: fitting for channels, fitting in grouped.items()}


def plan(
    method: Method,
    model: str | pathlib.Path,
    files: list[listing.ImagePath],
    choose_restorer: Callable[..., typing.Any],
    *,
    suffix: str = "",
    careful: bool = False,
    load: Callable[..., typing.Any] | None = None,
) -> tuple[list[jobs.Job], Callable[..., str]]:
    """(jobs, function that does one) for files and a model, as the flags say.

    Args:
        method: of the model.
        model: run folder or name of a shipped model.
        files: to restore.
        choose_restorer: as for `denoise`.
        suffix: of the names of calibrations, where there are several models.
        careful: take little of the result for a file that has almost no noise, whatever strength
            the flags name.
        load: load(model, precision) gives the denoiser [the method's load_deployed].
    """
    if doubt := processor.doubt_of_precision(FLAGS.precision):
        progress.say(f"Careful: {doubt}")
    calibrate = functools.partial(calibrating.calibrated, name=str(model), suffix=suffix)
    denoiser = (load or method.load_deployed)(model, FLAGS.precision)
    if calibrating.is_wanted() and FLAGS.calibrate_each:
        todo, _ = _plan_with(method, denoiser, files, choose_restorer, careful)
        by_path = {file.path: file for file in files}

        def restore_one(path, *outputs):
            own = _calibrated(calibrate, denoiser, by_path[path])
            _, restore = _plan_with(method, own, [by_path[path]], choose_restorer, careful)
            return restore(path, *outputs)

        return todo, restore_one
    if calibrating.is_wanted():
        denoiser = calibrate(denoiser, files)
    return _plan_with(method, denoiser, files, choose_restorer, careful)


def _calibrated(calibrate, denoiser, file):
    """A model calibrated for one file; raises ImageError where that can't be, for others follow."""
    try:
        return calibrate(denoiser, [file])
    except ImageError:
        raise
    except ValueError as error:
        raise ImageError(f"{file.path}: {error}") from error


def _plan_with(method, denoiser, files, choose_restorer, careful):
    """The same for a loaded model."""
    from common.restoring import file_by_file, prediction

    restore, in_parts = choose_restorer(
        prediction.restore_augmented if FLAGS.tta else prediction.restore
    )
    limits = {
        "max_pixels": denoiser.pixels_in(FLAGS.memory_gb),
        "tile_size": FLAGS.tile_size,
        "halo": FLAGS.halo,
    }
    if not in_parts:
        restore = functools.partial(restore, **limits)
    if FLAGS.strict and not method.knows_noise:
        raise ValueError(f"strict: {method.short_name} does not compare the noise of files.")
    noise, level = denoiser.config.noise, FLAGS.noise_level
    look = functools.partial(_look, noise, level, careful) if method.knows_noise else None
    if calibrating.is_wanted():
        look = functools.partial(calibrating.look, denoiser)
    return file_by_file.plan(
        denoiser,
        files,
        FLAGS.output,
        noise_level=FLAGS.noise_level,
        with_std=FLAGS.std,
        axes=FLAGS.dims,
        dtype=FLAGS.dtype,
        restore=restore,
        tiles=limits if in_parts else None,
        max_bytes=int(FLAGS.memory_gb * 1e9 / 4) if in_parts else None,
        look=look,
        strict=FLAGS.strict,
        strength=None if careful else 1.0 if FLAGS.strength is None else FLAGS.strength,
        show=progress.say,
    )


def _look(noise, level, careful, image, white):
    """The noise of an image, beside that which a model was trained on: a file_by_file.Seen.

    level: that of --noise_level, or None.
    careful: see `plan`.
    """
    from common.evaluation import noise_level
    from common.restoring import file_by_file

    if min(image.shape[:2]) < noise_level.MIN_SIDE:
        return file_by_file.Seen()  # too small to tell
    if level is not None:
        noise = noise.at(level)
    finding = noise_level.examine(image)
    doubt = noise_level.mismatch(finding, noise, white)
    noise_text, strength = f"sigma {finding.sigma:.3g}", 1.0
    if finding.almost_none:
        noise_text += ", almost none"
        if careful:
            strength = GENTLE
            noise_text += f", so strength {GENTLE}"
    explained = finding.explained / white if noise_level.measures(noise) else float("inf")
    return file_by_file.Seen(noise_text, doubt, explained, white, strength)
