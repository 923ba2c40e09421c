"""What an SSDN training depends on, and the settings that have a name."""

import dataclasses
import typing

from common import configuration
from common import noise as noises
from common.configuration import expect, fast_precision, setting

PIPELINES = ("blindspot", "blindspot_mean", "workshop", "n2c", "n2n")
NOISE_PARAMS = ("known", "global", "per_image")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Defaults are those of Laine et al. 2019. Written to the run folder as config.json."""

    NOISES: typing.ClassVar[tuple] = (
        noises.NoNoise,
        noises.Gauss,
        noises.Poisson,
        noises.Impulse,
    )

    pipeline: str = setting("blindspot", "blindspot, blindspot_mean, workshop, n2c or n2n.")
    noise_params: str = setting(
        "known", "Where the noise level comes from: known, global, per_image."
    )
    diagonal_covariance: bool = setting(
        False, "Take the channels as independent of each other, given their surroundings."
    )
    noise_rate: float = setting(
        1.0,
        "Factor of the learning rate of a global noise level; 10 for short trainings.",
        positive=True,
    )

    def __post_init__(self):
        super().__post_init__()
        expect("pipeline", self.pipeline, PIPELINES)
        expect("noise_params", self.noise_params, NOISE_PARAMS)
        if self.noise.is_none and self.pipeline in ("n2c", "n2n"):
            raise ValueError(
                f"pipeline={self.pipeline!r} with noise='none': it needs second images."
            )
        if not self.has_likelihood:
            return
        if self.noise.is_none and self.noise_params == "known":
            raise ValueError(
                "noise='none' with noise_params='known': the level of real noise is not known; "
                "set noise_params to global or per_image."
            )
        if isinstance(self.noise, noises.Impulse) and self.channels == 1:
            raise ValueError("noise='impulse...' with channels=1: defined for 3 channels only.")
        is_gauss = isinstance(self.noise, noises.Gauss)
        if self.pipeline == "workshop" and not (is_gauss and self.noise_params == "known"):
            raise ValueError(
                f"pipeline='workshop' with noise='{self.noise}' and "
                f"noise_params={self.noise_params!r}: "
                "its formulation is for Gaussian noise of known level."
            )

    def check_noise(self, name, noise):
        super().check_noise(name, noise)
        # A level of one model would be taken for a level of the other.
        if self.takes_level and not (noise.is_none or self.noise_model == noise.NAME):
            raise ValueError(
                f"{name}='{noise}': this model is for known {self.noise_model} noise, "
                f"as {self.noise}."
            )

    @property
    def has_likelihood(self):
        """Whether the network describes a distribution, of which the noise level is a part."""
        return self.pipeline in ("blindspot", "workshop")

    @property
    def takes_level(self):
        return self.has_likelihood and self.noise_params == "known"

    def label(self):
        """As the original's names of configurations, gauss25-blindspot-sigma_known."""
        parts = [str(self.noise), self.pipeline + ("_diag" if self.diagonal_covariance else "")]
        parts += [f"sigma_{self.noise_params}"] if self.has_likelihood else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        return super().completed(num_images=self._papers_length())

    def _papers_length(self):
        lengths = {"n2c": 16, "n2n": 16, "blindspot": 4, "blindspot_mean": 8}
        if self.pipeline == "workshop":
            return 1_200_000
        return 1_000_000 * (lengths[self.pipeline] if self.noise_model == "impulse" else 2)


def _named():
    found = {}

    def add(name, **settings):
        found[name] = Config(**settings)

    for noise in ("gauss25", "gauss5_50", "poisson30", "poisson5_50", "impulse50", "impulse0_100"):
        estimate = "per_image" if "_" in noise else "global"
        for pipeline in ("n2c", "n2n", "blindspot_mean"):
            add(f"{noise}-{pipeline}", noise=noise, pipeline=pipeline)
        if not noise.startswith("impulse"):
            add(f"{noise}-n2c-mono", noise=noise, pipeline="n2c", channels=1)
        for params in ("known", estimate):
            name, settings = f"sigma_{params}", {"noise": noise, "noise_params": params}
            add(f"{noise}-blindspot-{name}", **settings)
            if noise.startswith("gauss"):
                add(f"{noise}-blindspot_diag-{name}", **settings, diagonal_covariance=True)
            if not noise.startswith("impulse"):
                add(f"{noise}-blindspot-{name}-mono", **settings, channels=1)
    for suffix, channels in (("", 3), ("-mono", 1)):
        name = f"gauss25-workshop-sigma_known{suffix}"
        add(name, noise="gauss25", pipeline="workshop", channels=channels)
    add("gauss25-workshop_diag-sigma_known", pipeline="workshop", diagonal_covariance=True)
    return found


DEFAULT = "gauss25-blindspot-sigma_known"
NAMED = _named()

# For the sample photographs: a few minutes on two CPU cores. Many small steps learn more in a given
# time than few large ones; see the table of crops in RESULTS.md.
SHORT = {
    "num_images": 2500,
    "batch_size": 1,
    "crop_size": 64,
    "noise_rate": 10.0,
    "precision": fast_precision(),
}
