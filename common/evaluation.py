"""Scores of restored images under fixed noise: the same pixels of noise for every method."""

import dataclasses

import numpy as np

from common import figures, images, metrics, noise_levels, pipeline, prediction

VALIDATION_IMAGES = 4  # looked at during a training


@dataclasses.dataclass
class Scores:
    """PSNR (8 bit, dB) and SSIM of each image."""

    psnr: list = dataclasses.field(default_factory=list)
    ssim: list = dataclasses.field(default_factory=list)

    def add(self, clean, restored):
        self.psnr.append(metrics.psnr(clean, restored))
        self.ssim.append(metrics.ssim(clean, restored))

    def line(self, dataset, noise):
        """The line that programs read: averages over images."""
        return (
            f"RESULT dataset={dataset} noise={noise} images={len(self.psnr)} "
            f"psnr={np.mean(self.psnr):.3f} ssim={np.nanmean(self.ssim):.4f}"
        )


def noisy_images(image_set, noise, *, channels, seed=0, repeats=1, white_level=0.0):
    """Yields (name, clean, noisy, level) for each image and repeat, from fixed seeds.

    Args:
        image_set: datasets.ImageSet; converted to `channels` as training does.
        noise: noise string.
        repeats: the set is gone through so often, with other noise each time.

    Yields:
        name; clean and noisy (H, W, C) float32 in [0, 1], noise not clipped; noise parameter.
    """
    model = noise_levels.parse(noise)
    if model.model == "none":
        raise ValueError("noise='none': without clean images there is nothing to compare with.")
    for repeat in range(repeats):
        for i, (name, image) in enumerate(zip(image_set.names, image_set.images)):
            clean = images.to_unit(images.to_channels(image, channels), white_level)
            number = repeat * len(image_set) + i
            noisy, level = pipeline.evaluation_noise(clean, model, seed, number)
            yield name, clean, noisy, level


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


def sheet_row(name, clean, noisy, result):
    """Captioned pictures of one result for `figures.contact_sheet`: clean, noisy, denoised, std.

    clean: (H, W, C) float in [0, 1], or None if there is none.
    """

    def caption(text, image):
        return text if clean is None else f"{text} {metrics.psnr(clean, image):.2f} dB"

    denoised = result["denoised"]
    row = [
        (f"{name}: {caption('noisy', noisy)}", figures.to_picture(noisy)),
        (caption("denoised", denoised), figures.to_picture(denoised)),
    ]
    if clean is not None:
        row.insert(0, ("clean", figures.to_picture(clean)))
    if "std" in result:
        row.append(("predicted std", figures.std_to_picture(result["std"])))
    return row


def validator(image_set, config, *, max_side=256):
    """validate(denoiser) for `training.fit`: scores and a contact sheet of a few centre crops.

    With noise "none" the crops are restored as they are; there is nothing to score them against.
    """
    cut = [_centre(image, max_side) for image in image_set.images[:VALIDATION_IMAGES]]
    few = dataclasses.replace(image_set, images=cut, names=image_set.names[:VALIDATION_IMAGES])
    settings = {"channels": config.channels, "white_level": config.white_level}

    def validate(denoiser):
        if config.noise == "none":
            examples = _as_they_are(few, **settings)
        else:
            examples = noisy_images(few, config.noise, **settings)
        rows, found = [], {}
        for name, clean, noisy, level in examples:
            result = prediction.restore(denoiser, noisy, level)
            rows.append(sheet_row(name, clean, noisy, result))
            if clean is not None:
                found.setdefault("psnr", []).append(metrics.psnr(clean, result["denoised"]))
                found.setdefault("ssim", []).append(metrics.ssim(clean, result["denoised"]))
            if "noise_std" in result:
                found.setdefault("noise_std_8bit", []).append(255 * result["noise_std"].mean())
        means = {name: float(np.mean(values)) for name, values in found.items()}
        return means, figures.contact_sheet(rows)

    return validate


def _as_they_are(image_set, *, channels, white_level):
    for name, image in zip(image_set.names, image_set.images):
        yield name, None, images.to_unit(images.to_channels(image, channels), white_level), None


def _centre(image, side):
    top, left = (max(0, (n - side) // 2) for n in image.shape[:2])
    return image[top : top + side, left : left + side]
