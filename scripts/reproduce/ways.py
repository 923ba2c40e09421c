"""The ways of `reproduce calibration` to restore a picture with photons and read-out noise."""

import functools

import numpy as np

import noise2x
from common.evaluation import baselines, noise_level
from common.files import image_files
from common.restoring import calibration, prediction
from scripts.reproduce import trainings

FROM_ABOVE = 1.25  # of the level of the noise, where SSDN's training begins to look for it
MODELS = {1: "photo-grey", 3: "photo"}
BLIND = {1: "ssdn-gauss5_50-grey", 3: "ssdn-gauss5_50"}
# Trainings on the noisy picture: package, crops, settings. SSDN knows noise of one strength, so it
# is trained on the picture after the calibration's transform; longer, or at the usual rate, it
# learns the one picture by heart.
TRAINED = {
    "n2v trained": ("n2v_tf", 12_000, ["--loss=mse", "--kernel_size=3", "--batch_size=16"]),
    "ssdn trained": (
        "ssdn_tf",
        300,
        [
            *("--noise=none", "--noise_params=global", "--batch_size=1", "--crop_size=64"),
            *("--schedule=fast", "--optimizer=adam", "--learning_rate=3e-5"),
        ],
    ),
}


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


class Picture:
    """A noisy picture, and the ways to restore it.

    Args:
        noisy: (H, W, C) float32 on [0, 1], not clipped.
        gain, read: of the noise, variance gain * value + read^2; the oracle alone may know.
        folder: for what is trained on it.
    """

    def __init__(self, noisy, gain, read, folder):
        self._noisy, self._gain, self._read = noisy, gain, read
        self._folder, self._channels = folder, noisy.shape[-1]

    def restored(self, way):
        """The picture as a way of calibrating.WAYS restores it."""
        if way in TRAINED:
            return self._trained(way)
        if way == "as it is":
            return _restore(_model(MODELS[self._channels]), self._noisy)
        if way == "calibrated":
            return _restore(self._calibrate(MODELS), self._noisy)
        if way == "ssdn calibrated":
            return _restore(self._calibrate(BLIND), self._noisy)
        if way == "bm3d calibrated":
            model = self._calibrate(MODELS)
            stable = np.asarray(model.forward(self._noisy[None]))[0]
            sigma = baselines.estimated_deviation(stable)
            return np.asarray(model.back(baselines.bm3d(stable, sigma)[None])[0])[0]
        gain, read = self._gain, self._read
        if way == "estimated gain":
            found = noise_level.examine(self._noisy)
            gain, read = max(found.gain, 0.0), max(found.offset, 0.0) ** 0.5
        transform = Anscombe(gain, read)
        stable = transform.forward(self._noisy)
        if way == "bm3d":
            return transform.back(baselines.bm3d(stable, transform.sigma))
        return transform.back(_restore(_model(MODELS[self._channels]), stable))

    def _calibrate(self, models):
        return calibration.calibrate(_model(models[self._channels]), [self._noisy])

    def _trained(self, way):
        """The picture by a model that was trained on it alone."""
        package, crops, settings = TRAINED[way]
        path = self._folder / f"{package}.tif"
        if package == "n2v_tf":
            noisy, back = self._noisy, None
            train_set, own = "sample", f"--data_path={path}"  # which replaces the train_set
        else:
            model = self._calibrate(MODELS)
            noisy, back = np.asarray(model.forward(self._noisy[None]))[0], model.back
            start = 255 * FROM_ABOVE * float(model.level[0])
            settings = [*settings, f"--noise_start={start:.3g}"]
            train_set, own = path, f"--model={BLIND[self._channels]}"
        image_files.write(path, noisy)
        settings = [*settings, own, f"--channels={self._channels}"]
        run_dir = self._folder / way.replace(" ", "-")
        arguments = trainings.arguments(package, run_dir, crops, settings, train_set=train_set)
        restored = _restore(trainings.trained(arguments), noisy)
        return restored if back is None else np.asarray(back(restored[None])[0])[0]


@functools.cache
def _model(name):
    return noise2x.load(name)


def _restore(denoiser, noisy):
    return prediction.restore(denoiser, {"noisy": noisy})["denoised"]
