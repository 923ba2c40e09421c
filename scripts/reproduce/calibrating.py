"""Calibration against the alternatives, on photons and read noise whose strengths are known.

Every picture gets Poisson-Gaussian noise of three gains and three read noises, and is restored by a
shipped model as it is; after the generalised Anscombe transform of the true gain and read noise
(the oracle) and of those that `noise2x noise` estimates; after a calibration for the picture alone;
and by BM3D after the oracle's transform, where it is installed.
"""

import time

import numpy as np

from common import noise as noises
from common.commands import flags
from common.evaluation import baselines
from common.files import atomic, pixels, tables

FLAGS = flags.FLAGS
PHOTONS, READ_NOISES = (10, 30, 100), (2, 5, 15)  # at white; of 255
MODELS = {"kodak": ("photo", 3), "set12": ("photo-grey", 1)}
WAYS = ("as it is", "oracle", "estimated gain", "calibrated", "bm3d")


class Anscombe:
    """The generalised Anscombe transform, and its inverse for means.

    Images are on [0, 1] and have the variance gain * value + read^2. The transform gives them, too,
    values on [0, 1] for those on [0, 1], and noise of the deviation `sigma`.

    Reference: Mäkitalo & Foi, "Optimal inversion of the generalized Anscombe transformation for
    Poisson-Gaussian noise", IEEE TIP 2013; the inverse in closed form, equation 10.
    """

    def __init__(self, gain, read):
        self._gain, self._read = max(gain, 1e-6), read / max(gain, 1e-6)
        self._low, high = self._stable(0.0), self._stable(1.0)
        self._range = high - self._low
        self.sigma = 1 / self._range

    def _stable(self, image):
        inside = image / self._gain + 3 / 8 + self._read**2
        return 2 * np.sqrt(np.maximum(inside, 0.0))

    def forward(self, image):
        """Noisy values to those with noise of one strength."""
        return ((self._stable(image) - self._low) / self._range).astype(np.float32)

    def back(self, image):
        """Restored values to those of the image."""
        d = np.maximum(image * self._range + self._low, 1e-3)
        root = 1.5**0.5
        counts = d**2 / 4 + root / (4 * d) - 11 / (8 * d**2) + 5 * root / (8 * d**3) - 1 / 8
        least = 2 * (3 / 8 + self._read**2) ** 0.5  # where the transform has its zero
        counts = np.where(d < least, 0.0, counts - self._read**2)
        return (self._gain * counts).astype(np.float32)


def restored(way, denoiser, noisy, gain, read):
    """A picture on [0, 1] as a way restores it.

    gain, read: of the noise, variance gain * value + read^2; the oracle alone may know.
    """
    from common.evaluation import noise_level
    from common.restoring import calibration, prediction

    if way == "as it is":
        return prediction.restore(denoiser, {"noisy": noisy})["denoised"]
    if way == "calibrated":
        model = calibration.calibrate(denoiser, [noisy])
        return prediction.restore(model, {"noisy": noisy})["denoised"]
    if way == "estimated gain":
        found = noise_level.examine(noisy)
        gain, read = max(found.gain, 0.0), max(found.offset, 0.0) ** 0.5
    transform = Anscombe(gain, read)
    stable = transform.forward(noisy)
    if way == "bm3d":
        return transform.back(baselines.bm3d(stable, transform.sigma))
    return transform.back(prediction.restore(denoiser, {"noisy": stable})["denoised"])


def reproduce(ways, output):
    """Writes table.csv: mean PSNR of each way, set and noise; and sheet.png.

    Args:
        ways: of `WAYS`.
        output: the folder.
    """
    import noise2x
    from common.data import datasets
    from common.evaluation import figures

    rows, sheet = [], []
    for name in [FLAGS.dataset] if FLAGS.dataset else MODELS:
        model, channels = MODELS.get(name, MODELS["set12"])
        denoiser = noise2x.load(model)
        images = datasets.load(name, FLAGS.data_dir, max_images=FLAGS.max_images)
        for photons in PHOTONS:
            for read in READ_NOISES:
                noise = noises.parse(f"poissongauss{photons}+{read}")
                row, pictures = _row(name, images, channels, denoiser, noise, ways)
                rows.append(row)
                sheet.append(pictures)
                print("  ".join(f"{k}={v}" for k, v in row.items()), flush=True)
                tables.write(output / "table.csv", rows)
    with atomic.replacing(output / "sheet.png") as temporary:
        figures.contact_sheet(sheet, crop=(192, 192)).save(temporary, "png")
    print(f"Table: {output}/table.csv; pictures: {output}/sheet.png")


def _row(name, images, channels, denoiser, noise, ways):
    """(a row of the table, captioned pictures of the first image)."""
    from common.data import pipeline
    from common.evaluation import figures, quality

    scores = {way: [] for way in ("noisy", *ways)}
    seconds, pictures = [], []
    for number, stored in enumerate(images.images):
        clean = pixels.to_unit(pixels.to_channels(stored, channels))
        noisy, level = pipeline.evaluation_noise(clean, noise, 0, number)
        noisy = np.asarray(noisy, np.float32)
        results = {"noisy": noisy}
        for way in ways:
            began = time.perf_counter()
            results[way] = restored(way, denoiser, noisy, 1 / level, noise.read / 255)
            if way == "calibrated":
                seconds.append(time.perf_counter() - began)
        for way, result in results.items():
            scores[way].append(quality.psnr_float(clean, np.clip(result, 0, 1)))
            if not number:
                caption = f"{noise} {way} {scores[way][0]:.2f} dB"
                pictures.append((caption, figures.to_picture(result)))
    row = {"dataset": name, "images": len(images), "noise": str(noise)}
    row |= {way: f"{np.mean(psnr):.2f}" for way, psnr in scores.items()}
    if seconds:
        row["seconds to calibrate"] = f"{np.median(seconds):.1f}"
    return row, pictures
