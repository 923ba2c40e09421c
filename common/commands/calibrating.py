"""`denoise --calibrate`: a model of Gaussian noise restores files whose noise grows."""

from __future__ import annotations

import math
import typing

import numpy as np
from absl import flags

from common import progress
from common.files import listing, stacks
from common.files.errors import ImageError

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser
    from common.restoring import file_by_file
    from common.restoring.calibrated_model import Calibrated
    from common.restoring.calibrated_noise import Estimate

FLAGS = flags.FLAGS
PAGES = 16  # images that a calibration looks at, at most


def is_wanted() -> bool:
    """Whether the flags ask for a calibration."""
    return bool(FLAGS.calibrate or FLAGS.calibrate_each or FLAGS.calibration)


def check_flags() -> None:
    """Raises ValueError for flags that contradict each other."""
    if FLAGS.calibrate + FLAGS.calibrate_each + bool(FLAGS.calibration) > 1:
        raise ValueError("calibration: one of --calibrate, --calibrate_each and --calibration.")
    if is_wanted() and FLAGS.noise_level is not None:
        raise ValueError("noise_level: a calibration finds the noise itself.")
    if is_wanted() and FLAGS.dtype == "uint8":
        raise ValueError(
            "dtype: with a calibration values stay those of the file, which may not fit into "
            "uint8; expected same, uint16 or float32."
        )


def calibrated(
    denoiser: Denoiser, files: typing.Sequence[listing.ImagePath], *, name: str, suffix: str = ""
) -> Calibrated:
    """A denoiser that is calibrated for some files, or that --calibration has.

    Args:
        denoiser: the trained model.
        files: to restore; what is found is written beside the first one's result.
        name: run folder of the model, or name of a shipped one.
        suffix: of the calibration's name, where there are several models.

    Raises:
        ValueError: a model that can't be calibrated, nothing to measure, or the calibration
            would replace one of the files.
        ImageError: with --strict, what speaks against it.
    """
    from common.evaluation import calibration_doubts
    from common.restoring import (
        calibrated_model,
        calibrated_noise,
        calibration,
        calibration_files,
        jobs,
    )

    if FLAGS.calibration:
        return calibration_files.load(denoiser, FLAGS.calibration, name=name)
    if why := calibrated_model.refusal(denoiser):
        raise ValueError(f"{why} --model=photo or photo-grey can be.")
    kept, plot = (_beside(files, f"calibration{suffix}.{kind}") for kind in ("json", "png"))
    jobs.check_targets([(None, kept, plot)], [file.path for file in files])
    kept.parent.mkdir(parents=True, exist_ok=True)  # before the work, not after it
    images = _images(files, denoiser.config)
    which = str(files[0].path) if len(files) == 1 else f"{len(files)} files"
    progress.say(f"Calibrating {name} on {len(images)} images of {which} ...")
    model = calibration.calibrate(denoiser, images, max_pixels=denoiser.pixels_in(FLAGS.memory_gb))
    model.inner_name = name
    noise = calibrated_noise.estimate(model)
    findings = calibration_doubts.examine(images)
    for doubt in calibration_doubts.of_calibration(model, images, findings):
        if FLAGS.strict:
            raise ImageError(f"{which}: {doubt}")
        progress.say(f"Careful: {which}: {doubt}")
    calibration_files.save(model, kept, noise)
    _draw(noise, findings, plot)
    progress.say(describe(noise))
    progress.say(f"Calibration: {kept}, {plot}; --calibration={kept} uses it again.")
    return model


def look(model: Calibrated, image: np.ndarray, white: float) -> file_by_file.Seen:
    """What a look at a file gives, see file_by_file.plan; `white` is for models on [0, 1] alone."""
    from common.evaluation import calibration_doubts
    from common.restoring import file_by_file

    del white
    return file_by_file.Seen(doubt=calibration_doubts.of_use(model, image))


def describe(noise: Estimate) -> str:
    """The noise that was measured, in a line."""
    every = len(noise.levels) // 4
    deviations = ", ".join(f"{std:.3g} at {value:.4g}" for value, std in noise.levels[::every])
    line = f"Noise measured: deviation {deviations}"
    if noise.gain > 0 and noise.offset >= 0:
        line += f"; about gain {noise.gain:.3g} and, if black is 0, read noise "
        line += f"{noise.read_noise:.3g}"
    elif noise.gain > 0:
        line += f"; about gain {noise.gain:.3g} above a value of {-noise.offset / noise.gain:.3g}"
    return line


def _images(files, config):
    """The middle of some images of some files, (H, W, C) as stored; bad files are left out."""
    from common.restoring import calibration

    chosen = np.unique(np.linspace(0, len(files) - 1, PAGES).round().astype(int))
    pages = max(1, PAGES // len(chosen))
    side = math.isqrt(calibration.MAX_PIXELS)
    images, reason = [], None
    for file in (files[i] for i in chosen):
        try:
            limit = int(FLAGS.memory_gb * 1e9 / 4)
            stack = stacks.read(file.path, FLAGS.dims, usual=config.file_axes, max_bytes=limit)
            view = stack.view(2, config.channels)
            for number in np.unique(np.linspace(0, view.count - 1, pages).round().astype(int)):
                images.append(view.read(int(number), view.middle(side)))
        except ImageError as error:
            reason = error  # it is named when it is its turn
    if not images:
        raise ValueError(f"calibrate: none of the files can be read: {reason}")
    return images


def _beside(files, ending):
    """Where a file that belongs to a calibration goes."""
    if FLAGS.calibrate_each or files[0].folder is None:
        return files[0].beside(FLAGS.output, f"-{ending}")
    return files[0].result(FLAGS.output).parent / ending


def _draw(noise, findings, path):
    """Draw the noise over the value: measured, the fitted line's, and that of `noise2x noise`."""
    from common.evaluation import figures

    fitted = [
        (value, max(noise.gain * value + noise.offset, 0.0) ** 0.5) for value, _ in noise.levels
    ]
    lines = {"measured": noise.levels, "fitted gain and read noise": fitted}
    if findings and findings[0].levels:
        levels = findings[0].levels
        lines |= {"noise2x noise": [(value, variance**0.5) for value, variance in levels]}
    figures.save_lines(lines, path, xlabel="value", ylabel="deviation of the noise")
