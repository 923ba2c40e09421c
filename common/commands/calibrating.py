"""`denoise --calibrate`: a model of Gaussian noise learns the noise of the files at hand."""

from __future__ import annotations

import typing

import numpy as np
from absl import flags

from common import progress
from common.files import listing, stacks
from common.files.errors import ImageError

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser
    from common.restoring.calibration import Calibrated, NoiseFound

FLAGS = flags.FLAGS
PAGES = 16  # images that a calibration looks at, at most
SIDE = 1024  # of their middle, pixels
CLIPPED = 0.01  # share of clipped pixels that is worth a warning
FLAT = 0.02  # steps of the transform, beside those of the identity, that are as good as none


def is_wanted() -> bool:
    """Whether the flags ask for a calibration."""
    return bool(FLAGS.calibrate or FLAGS.calibrate_each or FLAGS.calibration)


def check_flags() -> None:
    """Raises ValueError for flags that contradict each other."""
    if FLAGS.calibrate + FLAGS.calibrate_each + bool(FLAGS.calibration) > 1:
        raise ValueError("calibration: one of --calibrate, --calibrate_each and --calibration.")
    if is_wanted() and FLAGS.noise_level is not None:
        raise ValueError("noise_level: a calibration finds the noise itself.")


def calibrated(
    denoiser: Denoiser, name: str, files: typing.Sequence[listing.ImagePath]
) -> Calibrated:
    """A denoiser that is calibrated for some files, or by the file of --calibration.

    Args:
        denoiser: the trained model.
        name: its run folder, or that of a shipped model.
        files: to restore; a calibration that is learned is written beside the first one's result.

    Raises:
        ValueError: a model that can't be calibrated, or nothing to learn from.
    """
    from common.restoring import calibration

    if FLAGS.calibration:
        return calibration.load(denoiser, FLAGS.calibration)
    if why := calibration.refusal(denoiser):
        raise ValueError(f"{why} --model=photo or photo-grey can be.")
    images = _images(files, denoiser.config.channels)
    which = files[0].path if len(files) == 1 else f"{len(files)} files"
    progress.say(f"Calibrating {name} on {len(images)} images of {which} ...")
    model = calibration.calibrate(denoiser, images)
    noise = calibration.noise_found(model, images[0])
    for doubt in _doubts(model, images[0]):
        progress.say(f"Careful: {which}: {doubt}")
    kept, plot = (_beside(files, suffix) for suffix in ("json", "png"))
    calibration.save(model, kept, name, noise)
    _draw(noise, images[0], plot)
    progress.say(describe(noise))
    progress.say(f"Calibration: {kept}, {plot}; --calibration={kept} uses it again.")
    return model


def describe(noise: NoiseFound) -> str:
    """The noise that was found, in a line."""
    some = noise.levels[:: len(noise.levels) // 4]
    deviations = ", ".join(f"{deviation:.3g} at {value:.4g}" for value, deviation in some)
    line = f"Noise found: deviation {deviations}"
    if noise.gain > 0 and noise.offset >= 0:
        line += f"; about gain {noise.gain:.3g} and read noise {noise.read_noise:.3g}"
    elif noise.gain > 0:
        line += f"; about gain {noise.gain:.3g} above a value of {-noise.offset / noise.gain:.3g}"
    return line


def _images(files, channels):
    """The middle of some images of the files, (H, W, C) as stored; bad files are left to others."""
    views = []
    for file in files:
        try:
            stack = stacks.read(file.path, FLAGS.dims, max_bytes=10**9)
            views.append(stack.view(2, channels))
        except ImageError:
            continue  # it is named when it is its turn
    pages = [(view, number) for view in views for number in range(view.count)]
    if not pages:
        raise ValueError("calibrate: none of the files can be read.")
    chosen = np.unique(np.linspace(0, len(pages) - 1, PAGES).round().astype(int))
    images = []
    for view, number in (pages[i] for i in chosen):
        tops = [max((side - SIDE) // 2, 0) for side in view.sides]
        region = tuple(slice(top, min(top + SIDE, side)) for top, side in zip(tops, view.sides))
        images.append(view.read(number, region))
    return images


def _doubts(model, image):
    """What speaks against a calibration, in sentences."""
    from common.evaluation import noise_level
    from common.restoring import calibration

    doubts = []
    if min(image.shape[:2]) >= noise_level.MIN_SIDE:
        finding = noise_level.examine(image)
        if finding.shared:
            doubts.append(
                f"calm areas vary by {finding.calm:.3g}, {finding.how_shared}, beside noise of "
                f"{finding.sigma:.3g} that pixels have for themselves. If that is noise, it stays: "
                "it must be independent between pixels. noise2x train n2v --struct_kernel=... "
                "learns noise that neighbours in a line share."
            )
        if finding.clipped > CLIPPED:
            doubts.append(
                f"{finding.clipped:.1%} of the pixels are clipped; there the noise can't be seen, "
                "and what is restored is off."
            )
    pixels_seen = image.shape[0] * image.shape[1]
    if pixels_seen < 4 * calibration.MIN_PIXELS:
        doubts.append(f"{pixels_seen} pixels are few for a calibration; more files are better.")
    knots = np.asarray(model.knots())
    inside = slice(calibration.KNOTS // 8, -calibration.KNOTS // 8)
    rises = np.diff(knots, axis=1)[:, inside] * (calibration.KNOTS - 1)
    if (rises < FLAT).any():
        doubts.append(
            "the transform is flat in places, so values there become one; without --calibrate, or "
            "with noise2x train n2v on the file, this can't happen."
        )
    return doubts


def _beside(files, suffix):
    """Where a file that belongs to a calibration goes."""
    if FLAGS.calibrate_each or (len(files) == 1 and files[0].folder is None):
        return files[0].beside(FLAGS.output, f"-calibration.{suffix}")
    return files[0].result(FLAGS.output).parent / f"calibration.{suffix}"


def _draw(noise, image, path):
    """Draws the noise over the value: found, the fitted line's, and that of `noise2x noise`."""
    from common.evaluation import figures, noise_level

    fitted = [
        (value, max(noise.gain * value + noise.offset, 0.0) ** 0.5) for value, _ in noise.levels
    ]
    lines = {"found": noise.levels, "fitted gain and read noise": fitted}
    if min(image.shape[:2]) >= noise_level.MIN_SIDE:
        levels = noise_level.examine(image).levels
        lines |= {"noise2x noise": [(value, variance**0.5) for value, variance in levels]}
    lines = {name: points for name, points in lines.items() if points}
    path.parent.mkdir(parents=True, exist_ok=True)
    figures.save_lines(lines, path, xlabel="value", ylabel="deviation of the noise")
