"""Scores of denoisers at several sigmas of Gaussian noise, kept in a table from run to run.

A denoiser is a classical method, a model that comes along, or a network that is trained here. All
get the same noisy images.
"""

import dataclasses
import time

import numpy as np

from common import noise as noises
from common import shipped
from common.commands import flags
from common.evaluation import baselines
from common.files import tables
from noise2x import methods
from scripts.reproduce import sheets, trainings

FLAGS = flags.FLAGS
KEY = ("method", "sigma", "dataset", "images", "training")
SCORES = ("psnr", "ssim", "seconds", "sigma_found", "error_over_std", "within_1", "within_2")


class Denoiser:
    """What is scored.

    Attributes:
        name: of a classical method, a model that comes along, or a network that is trained here.
        training: what its scores depend on: the arguments of its training, the start of the hash of
            a model's weights, or nothing.
    """

    def __init__(self, name, arguments=()):
        """arguments: of its training, see trainings.arguments; none if it is not trained here."""
        self.name, self._arguments = name, list(arguments)
        self.training = " ".join(self._arguments)
        self._model = None
        if self.is_shipped:
            self.training = f"weights {shipped.digest(shipped.folder(name) / 'weights.npz')[:12]}"

    @property
    def is_shipped(self):
        """Whether it is a model that comes along."""
        return self.name in shipped.names()

    @property
    def channels(self):
        """Of a model that comes along; None: it restores images of any number of channels."""
        return self._config().channels if self.is_shipped else None

    def sigmas(self, sigmas):
        """Those of some sigmas that a model that comes along was made for; of others, all."""
        if not self.is_shipped:
            return list(sigmas)
        noise = self._config().noise
        return [sigma for sigma in sigmas if noise.low <= sigma <= noise.high]

    def restore(self, inputs):
        """The result of `prediction.restore` for the inputs of an example.

        A model for a range of sigmas that can find the level itself is not told it; `sigma_found`
        is what it found, of 255.
        """
        if self.name in baselines.NAMES:
            function = baselines.available([self.name])[self.name]
            return {"denoised": function(inputs["noisy"], inputs["noise_level"])}
        from common.restoring import prediction

        model, found = self._load(), {}
        if model.looks_for_level:
            level = model.find_level(inputs["noisy"])
            inputs = inputs | {"noise_level": np.float32(level)}
            found = {"sigma_found": 255 * level}
        return prediction.restore(model, inputs) | found

    def _config(self):
        return methods.of_run(self.name).load_config(self.name)[0]

    def _load(self):
        if self._model is None:
            if self.is_shipped:
                self._model = methods.of_run(self.name).load_deployed(self.name, FLAGS.precision)
            else:
                self._model = trainings.trained(self._arguments)
        return self._model


class Table:
    """The scores, in a CSV file: what an earlier run has written is not computed again.

    Raises:
        ValueError: the file is there and has other columns.
    """

    def __init__(self, path):
        self._path = path
        self._rows = tables.read_known(path, KEY + SCORES, KEY)

    @property
    def rows(self):
        """All that is known, [{column: text}]."""
        return list(self._rows.values())

    def row(self, denoiser, image_set, channels, sigma, pictures=None):
        """Mean scores on a set at one sigma, {column: text}.

        Args:
            denoiser: `Denoiser`.
            image_set: its images are scored in that many channels.
            channels: 1 or 3.
            sigma: of the noise, of 255.
            pictures: folder for the first image, restored, noisy and clean [none].
        """
        values = (denoiser.name, f"{sigma:g}", image_set.name, len(image_set), denoiser.training)
        key = tuple(map(str, values))
        if key not in self._rows:
            scores = self._score(denoiser, image_set, channels, sigma, pictures)
            self._rows[key] = dict(zip(KEY + SCORES, key + scores, strict=True))
            tables.write(self._path, list(self._rows.values()))
        return self._rows[key]

    def _score(self, denoiser, image_set, channels, sigma, pictures):
        from common.evaluation import scoring

        ssdn = methods.find("ssdn_tf")  # its examples are images with Gaussian noise
        config = dataclasses.replace(ssdn.default_config, channels=channels)
        noise = noises.Gauss(sigma, sigma)
        scores, calibration, found, seconds = scoring.Scores(), scoring.Calibration(), [], 0.0
        for _, clean, inputs in ssdn.examples(image_set, config, noise=noise):
            began = time.monotonic()
            result = denoiser.restore(inputs)
            seconds += time.monotonic() - began
            if pictures and not scores.psnr:
                sheets.keep(pictures / "clean.png", clean)
                sheets.keep(pictures / f"noisy-{sigma:g}.png", inputs["noisy"])
                sheets.keep(pictures / f"{denoiser.name}-{sigma:g}.png", result["denoised"])
            scores.add(clean, result["denoised"])
            calibration.add(clean, result)
            found += [result["sigma_found"]] if "sigma_found" in result else []
        print(f"{scores.line(image_set.name, noise)} method={denoiser.name}", flush=True)
        told = [f"{np.mean(found):.2f}" if found else ""]
        if calibration.ratio is None:
            told += ["", "", ""]
        else:
            told += [
                f"{calibration.ratio:.3f}",
                *(f"{share:.4f}" for share in calibration.coverage),
            ]
        average = (f"{np.mean(scores.psnr):.3f}", f"{np.nanmean(scores.ssim):.4f}")
        return (*average, f"{seconds:.1f}", *told)
