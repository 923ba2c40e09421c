"""Scores of restored images under fixed noise: the same pixels of noise for every method."""

import collections.abc
import dataclasses
import functools

import numpy as np

from common import datasets, figures, images, metrics, noise_levels, pipeline, prediction
from common import noise as noises

VALIDATION_IMAGES = 4  # looked at during a training
MIDDLE_SIDE, MIDDLE_PAGES = 256, 16  # of an image, of a volume, likewise


@dataclasses.dataclass
class Scores:
    """PSNR (dB, as `measure` has it) and SSIM of each image."""

    measure: collections.abc.Callable = metrics.psnr
    psnr: list = dataclasses.field(default_factory=list)
    ssim: list = dataclasses.field(default_factory=list)

    def add(self, clean, restored):
        self.psnr.append(self.measure(clean, restored))
        self.ssim.append(metrics.ssim(clean, restored))

    def line(self, dataset, noise, told=None):
        """The line that programs read: averages over images; told: what else it is to say."""
        more = "".join(f"{name}={value} " for name, value in (told or {}).items())
        return (
            f"RESULT dataset={dataset} {more}noise={noise} images={len(self.psnr)} "
            f"psnr={np.mean(self.psnr):.3f} ssim={np.nanmean(self.ssim):.4f}"
        )


def noisy_images(image_set, noise, *, channels, seed=0, repeats=1, white_level=0.0):
    """Yields (name, clean, inputs) for each image and repeat, from fixed seeds.

    Args:
        image_set: datasets.ImageSet; converted to `channels` as training does.
        noise: noise string.
        repeats: the set is gone through so often, with other noise each time.

    Yields:
        name; clean (H, W, C) float32 in [0, 1]; what a denoiser is given: dict of `noisy`, like
        clean but not clipped, and `noise_level`, the noise parameter.
    """
    model = noise_levels.parse(noise)
    if model.model == "none":
        raise ValueError(
            "noise='none': without clean images there is nothing to compare with; on clean ones "
            "--noise=gauss25 adds some."
        )
    for repeat in range(repeats):
        for i, (name, image) in enumerate(zip(image_set.names, image_set.images)):
            clean = images.to_unit(images.to_channels(image, channels), white_level)
            number = repeat * len(image_set) + i
            noisy, level = pipeline.evaluation_noise(clean, model, seed, number)
            yield name, clean, {"noisy": noisy, "noise_level": level}


def paired(noisy_set, clean_set, white_level):
    """Yields (name, clean, inputs) of noisy images and what they are compared with.

    Clean ones are scaled so that their own range becomes [0, 1].

    Raises:
        images.ImageError: another number of them, or other sizes.
    """
    if len(noisy_set) != len(clean_set):
        raise images.ImageError(
            f"{clean_set.name}: {len(clean_set)} images, but {noisy_set.name} has "
            f"{len(noisy_set)}; each needs its reference."
        )
    for name, noisy, clean in zip(noisy_set.names, noisy_set.images, clean_set.images):
        if noisy.shape != clean.shape:
            raise images.ImageError(
                f"{name}: {noisy.shape}, but its reference is {clean.shape}; expected equal sizes."
            )
        clean = clean.astype(np.float32)
        low, high = clean.min(), clean.max()
        if low == high:
            raise images.ImageError(f"{name}: its reference is constant.")
        yield name, (clean - low) / (high - low), {"noisy": images.to_unit(noisy, white_level)}


class Calibration:
    """Whether predicted deviations are true: rms of the errors over rms of the predictions."""

    def __init__(self):
        self._errors, self._predicted = 0.0, 0.0

    def add(self, clean, result):
        if "std" in result:
            # Sums first: pixels that the model is all too sure of would rule a mean of ratios.
            error = result["denoised"] - clean
            self._errors += float(np.square(error, dtype=np.float64).sum())
            self._predicted += float(np.square(result["std"], dtype=np.float64).sum())

    def __str__(self):
        if not self._predicted:
            return ""
        ratio = (self._errors / self._predicted) ** 0.5
        return (
            f"Errors are {ratio:.2f} times the predicted standard deviation (1: well calibrated)."
        )


def sheet_row(name, clean, noisy, result, psnr=metrics.psnr, given="noisy"):
    """Captioned pictures of one result for `figures.contact_sheet`: clean, noisy, denoised, std.

    clean: (H, W, C) float in [0, 1], or None if there is none.
    given: what to call the noisy one.
    """

    def caption(text, image):
        return text if clean is None else f"{text} {psnr(clean, image):.2f} dB"

    denoised = result["denoised"]
    # Nobody knows the range of files that are noisy themselves.
    show = figures.to_picture if clean is not None else figures.stretching(noisy)
    row = [
        (f"{name}: {caption(given, noisy)}", show(noisy)),
        (caption("denoised", denoised), show(denoised)),
    ]
    if clean is not None:
        row.insert(0, ("clean", figures.to_picture(clean)))
    if "std" in result:
        row.append(("predicted std", figures.std_to_picture(result["std"])))
    return row


def validator(examples, psnr=metrics.psnr, batch=None, given="noisy"):
    """validate(denoiser) for `training.fit`: scores and a contact sheet of a few images.

    examples: called without arguments, yields (name, clean, inputs); where clean is None, for files
        that are noisy themselves, there is nothing to score against.
    batch: (x, y) as a training batch, for a loss of what is not trained on; None for no such loss.
    given: what to call the noisy ones.
    """

    def validate(denoiser):
        rows, found = [], {}
        for name, clean, inputs in examples():
            result = prediction.restore(denoiser, inputs)
            rows.append(sheet_row(name, clean, inputs["noisy"], result, psnr, given))
            if clean is not None:
                found.setdefault("psnr", []).append(psnr(clean, result["denoised"]))
                found.setdefault("ssim", []).append(metrics.ssim(clean, result["denoised"]))
            if "noise_std" in result:
                found.setdefault("noise_std_8bit", []).append(255 * result["noise_std"].mean())
        means = {name: float(np.mean(values)) for name, values in found.items()}
        if batch is not None:
            x, y = batch
            means["loss"] = float(denoiser.compute_loss(x, y, denoiser.predict_on_batch(x)))
        return means, figures.contact_sheet(rows)

    return validate


def examples(image_set, config, *, noise, seed, repeats):
    """`noisy_images` as a configuration wants them."""
    return noisy_images(
        image_set,
        noise,
        channels=config.channels,
        seed=seed,
        repeats=repeats,
        white_level=config.white_level,
    )


def validation(config, data_dir):
    """Function that yields (name, clean, inputs) of the configuration's validation images."""
    noises.check(noise_levels.parse(config.validation_noise))
    return functools.partial(validation_examples, validation_images(config, data_dir), config)


def validation_images(config, data_dir):
    """The first few of the configuration's validation set."""
    return datasets.load(
        config.validation_set, data_dir, held_back=True, max_images=VALIDATION_IMAGES
    )


def validation_by(examples):
    """A Method's `validation` that yields its `examples` of the middle of a few images."""

    def validation(config, data_dir):
        few = validation_images(config, data_dir).each(centre)
        noise = config.validation_noise
        return functools.partial(examples, few, config, noise=noise, seed=0, repeats=1)

    return validation


def validation_examples(image_set, config):
    """Centre crops of the first few images, with the validation noise or as they are."""
    few = image_set.first(VALIDATION_IMAGES).each(centre)
    settings = {"channels": config.channels, "white_level": config.white_level}
    if config.noise == "none":
        return _as_they_are(few, **settings)
    return noisy_images(few, config.validation_noise, **settings)


def _as_they_are(image_set, *, channels, white_level):
    for name, image in zip(image_set.names, image_set.images):
        image = images.to_unit(images.to_channels(image, channels), white_level)
        yield name, None, {"noisy": image}


def centre(image, side=MIDDLE_SIDE):
    """The middle of (H, W, C), no side longer than `side`; of volumes that of a few pages."""
    limits = (side, side) if image.ndim == 3 else (MIDDLE_PAGES, side, side)
    starts = [max(0, (n - limit) // 2) for n, limit in zip(image.shape, limits)]
    return image[tuple(slice(a, a + limit) for a, limit in zip(starts, limits))]
