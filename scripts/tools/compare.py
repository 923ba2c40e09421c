"""Restores pictures with several models, side by side on one sheet.

noise2x compare photo.jpg
noise2x compare photo.jpg --models=photo,runs/my-ssdn,non_local_means,bm3d
noise2x compare clean.png --noise=gauss25
noise2x compare cells.tif --models=photo-grey,runs/cells --calibrate --reference=average.tif

Above are the middle of the noisy picture and of what each model makes of it, pixel by pixel; below
what each took away, grey for nothing, black and white for three deviations of the noise: it should
look like noise, without outlines. Under it stands how strongly the whole picture was changed, and
in which time; where the clean picture is known, the PSNR too: with --noise, which takes the picture
itself for clean, as it is; with --reference after the least-squares affine fit to it, peak: its
range, as in `noise2x evaluate`.

--models names run folders, shipped models (noise2x models) and classical denoisers: mean, median,
non_local_means, bm3d. Those that need the strength of the noise get that of --noise, models also
that of --noise_level, or else an estimate; models that find it themselves do.
"""

import copy
import dataclasses
import functools
import pathlib
import time

import numpy as np
from absl import app
from absl import flags as absl_flags

from common import noise as noises
from common import progress
from common.commands import flags, running
from common.evaluation import baselines
from common.files import atomic, listing, pixels, stacks
from common.files.errors import ImageError
from common.restoring import file_by_file, jobs, prediction
from noise2x import methods

FLAGS = flags.FLAGS
SHOWN = 3.0  # deviations of the noise that black and white stand for, of what was taken away


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_list(
        "models",
        None,
        "Names of models and classical denoisers, comma-separated [the shipped model, "
        "non_local_means, bm3d].",
    )
    absl_flags.DEFINE_string(
        "output", None, "PNG file for the sheet [NAME-compared.png beside the first picture]."
    )
    absl_flags.DEFINE_integer(
        "crop", 256, "Side of the middle that is shown, pixels; 0: the whole picture [256].", 0
    )
    absl_flags.DEFINE_bool(
        "calibrate",
        False,
        "Also show each trained model after a calibration, see noise2x denoise --help; its time is "
        "that of both.",
    )
    absl_flags.DEFINE_string("noise", None, "Noise to add first, as gauss25: pictures are clean.")
    absl_flags.DEFINE_string("reference", None, "Clean version of the picture.")
    absl_flags.DEFINE_integer("seed", 0, "Seed of the noise that is added [0].", 0)
    absl_flags.DEFINE_float("memory_gb", 3.0, "Memory for a model, in gigabytes [3].", 0.01, 1e6)
    flags.define_noise_level()
    flags.define_dims()
    flags.define_precision("auto")


class Model:
    """A trained model, or a classical denoiser, by name.

    channels: of the images that it restores; 0 for any.

    Raises:
        runs.RunError, ImageError: no such model or denoiser, or it is not installed.
    """

    def __init__(self, name):
        self.name, self.channels, self._denoiser, self._baseline = name, 0, None, None
        if name in baselines.NAMES:
            self._baseline = baselines.available([name])[name]
            return
        method = methods.of_run(name)
        self._denoiser = method.load_deployed(name, FLAGS.precision)
        self.channels = self._denoiser.config.channels
        if self._denoiser.spatial != 2 or self._denoiser.scale != 1:
            raise ValueError(f"{name}: restores no pictures of the same size.")
        if list(self._denoiser.INPUTS) != ["noisy"]:
            raise ValueError(f"{name}: restores from more than a picture.")

    def calibrated(self, picture):
        """The same model, calibrated for a Picture; None if it can't be."""
        from common.evaluation import calibration_doubts
        from common.restoring import calibrated_model, calibration

        if self._denoiser is None or calibrated_model.refusal(self._denoiser):
            return None
        other = copy.copy(self)
        other.name = f"{self.name} calibrated"
        try:
            other._denoiser = calibration.calibrate(self._denoiser, [picture.noisy])
        except ValueError as error:
            print(f"{picture.name}: {self.name}: {error}", flush=True)
            return None
        for doubt in calibration_doubts.of_calibration(other._denoiser, [picture.noisy]):
            print(f"Careful: {picture.name}: {doubt}", flush=True)
        return other

    def white(self, dtype):
        """The value of a file of this type that stands for 1."""
        own = self._denoiser.config.white_level if self._denoiser else 0.0
        return pixels.white_level(dtype, own)

    def restore(self, noisy, sigma, picture):
        """The restored picture, as `noisy`: (H, W, C) float32 over this model's white level.

        sigma: deviation of the noise, on the same scale; picture: that it is of.
        """
        if self._baseline is not None:
            return np.asarray(self._baseline(noisy, sigma), np.float32)
        config, inputs = self._denoiser.config, {"noisy": noisy}
        level, parameter = FLAGS.noise_level, None
        takes, finds = self._denoiser.takes_level, self._denoiser.looks_for_level
        if takes and picture.noise and config.noise_model == picture.noise.NAME:
            parameter = picture.level
        elif takes and level is None and not finds and config.noise_model == "gauss":
            level = 255 * sigma
        if takes and parameter is None:
            parameter = file_by_file.noise_parameter(self._denoiser, level)
        if parameter is not None:
            inputs["noise_level"] = np.float32(parameter)
        limit = self._denoiser.pixels_in(FLAGS.memory_gb)
        return prediction.restore(self._denoiser, inputs, max_pixels=limit)["denoised"]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A noisy picture.

    name: for the captions.
    noisy: (H, W, C) float32, values as in the file.
    clean: what it is compared with, likewise, or None.
    dtype: of the file.
    noise, level: that were added, the level as models take it; or None.
    """

    name: str
    noisy: np.ndarray
    clean: np.ndarray | None
    dtype: np.dtype
    noise: noises.Noise | None = None
    level: float | None = None

    @property
    def sigma(self):
        """Deviation of the noise, in the values of the file; estimated if none was added."""
        if self.noise is None:
            return baselines.estimated_deviation(self.noisy)
        return self.noise.deviation(self.level) * pixels.white_level(self.dtype, 0.0)

    def psnr(self, restored):
        """PSNR of a restored image, dB; `clean` is known."""
        from common.evaluation import quality

        low, high = 0.0, pixels.white_level(self.dtype, 0.0)
        if FLAGS.reference:
            low, high = float(self.clean.min()), float(self.clean.max())
        clean, restored = ((image - low) / (high - low) for image in (self.clean, restored))
        if FLAGS.reference:
            restored = quality.fitted(restored, clean)
        return quality.psnr_float(clean, restored)

    def show(self, image):
        """An RGB picture of an image in the file's values; other than 8 bits are stretched."""
        from common.evaluation import figures

        if self.dtype == np.uint8:
            return figures.to_picture(image / np.float32(255))
        return figures.stretching(self.noisy)(image)


def read(path, channels, reference):
    """The first image of a file as a Picture, with noise added if --noise says so.

    Args:
        path: of the file.
        channels: numbers of channels that the models restore; the first that fits is taken.
        reference: file of the clean version, or None.

    Raises:
        ImageError: it can't be read so, or the reference differs in its sides.
    """
    stack = stacks.read(path, FLAGS.dims)
    fitting = stack.channels_among(channels) or channels[0]
    view, noise, level = stack.view(2, fitting), None, None
    whole = tuple(slice(0, side) for side in view.sides)
    noisy, clean = view.read(0, whole), None
    if FLAGS.noise:
        from common.data import pipeline

        clean = np.asarray(noisy, np.float32)
        white = np.float32(pixels.white_level(view.dtype, 0.0))
        noise = noises.parse(FLAGS.noise)
        drawn, level = pipeline.evaluation_noise(clean / white, noise, FLAGS.seed, 0)
        noisy = white * drawn
    elif reference:
        other = stacks.read(reference, FLAGS.dims).view(2, fitting)
        clean = np.asarray(other.read(0, tuple(slice(0, side) for side in other.sides)), np.float32)
        if clean.shape != noisy.shape:
            raise ImageError(f"{reference}: {clean.shape}, where {path} has {noisy.shape}.")
    return Picture(path.name, np.asarray(noisy, np.float32), clean, view.dtype, noise, level)


def compare(models, picture):
    """Two rows for figures.contact_sheet: what the models make of a picture, what they take away.

    Args:
        models: of `Model`, or functions that make one, or None.
        picture: of `read`.
    """
    from common.evaluation import figures

    noisy, sigma = picture.noisy, picture.sigma
    cut = functools.partial(pixels.centre, side=FLAGS.crop or max(noisy.shape))
    above = [(f"{picture.name}: noisy, sigma {sigma:.3g}", picture.show(cut(noisy)))]
    below = [("taken away", figures.to_picture(np.full_like(cut(noisy), 0.5)))]
    for model in models:
        began = time.perf_counter()
        model = model() if callable(model) else model
        if model is None:
            continue
        white = np.float32(model.white(picture.dtype))
        restored = white * model.restore(noisy / white, sigma / white, picture)
        seconds = time.perf_counter() - began
        removed = noisy - restored
        change = float(np.sqrt(np.mean(np.square(removed, dtype=np.float64))))
        quality_of = ""
        if picture.clean is not None:
            quality_of = f"  {picture.psnr(restored):.2f} dB"
        print(
            f"{picture.name}: {model.name}  {seconds:.1f} s  changed by {change:.3g}{quality_of}",
            flush=True,
        )
        above.append((f"{model.name}{quality_of}", picture.show(cut(restored))))
        shown = 0.5 + cut(removed) / np.float32(2 * SHOWN * max(sigma, 1e-9))
        below.append((f"{change:.3g} in {seconds:.1f} s", figures.to_picture(shown)))
    if picture.clean is not None:
        above.append(("clean", picture.show(cut(picture.clean))))
    return [above, below]


def chosen(names, files):
    """The models of --models, or those that suit the first file.

    Raises:
        ValueError: models of other numbers of channels than one another.
    """
    if names is None:
        ready = methods.find(methods.READY).ready
        (channels,) = file_by_file.by_channels(files[:1], list(ready), FLAGS.dims)
        names = [ready[channels], "non_local_means"]
        names += ["bm3d"] if "bm3d" in baselines.available(["all"]) else []
    models = [Model(name) for name in names]
    if len({model.channels for model in models if model.channels}) > 1:
        counts = ", ".join(f"{m.name}: {m.channels}" for m in models if m.channels)
        raise ValueError(f"models: of different numbers of channels ({counts}).")
    return models


def run(arguments):
    """Compares the models on each file that the arguments name."""
    from common.evaluation import figures

    if not arguments:
        raise app.UsageError("Name the pictures: photo.jpg, a folder, or 'scans/*.tif'.")
    files = [file for pattern in arguments for file in listing.images_of(pattern)]
    files = listing.without_results(files)
    if FLAGS.reference and (FLAGS.noise or len(files) > 1):
        raise ValueError("reference: is for one picture, and without --noise.")
    models = chosen(FLAGS.models, files)
    channels = [model.channels for model in models if model.channels][:1] or [3, 1]
    output = FLAGS.output or files[0].path.with_name(f"{files[0].path.stem}-compared.png")
    inputs = [file.path for file in files] + [FLAGS.reference] * bool(FLAGS.reference)
    jobs.check_targets([(None, pathlib.Path(output))], [pathlib.Path(path) for path in inputs])
    rows, bad = [], 0
    for file in files:
        try:
            picture = read(file.path, channels, FLAGS.reference)
        except ImageError as error:
            bad += 1
            print(f"{error} Skipped.", flush=True)
            continue
        columns = list(models)
        if FLAGS.calibrate:
            calibrations = (functools.partial(model.calibrated, picture) for model in models)
            columns = [column for pair in zip(models, calibrations) for column in pair]
        rows += compare(columns, picture)
    if rows:
        with atomic.replacing(output) as temporary:
            figures.contact_sheet(rows).save(temporary, "png")
        progress.say(f"Sheet: {output}")
    if bad:
        raise ValueError(f"{bad} files could not be read; they are named above.")


def main():
    """Runs `noise2x compare`."""
    running.run(run, define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
