"""What an SSDN training depends on, and the settings that have a name."""

import dataclasses

from common import noise_levels
from common.configs import check_values, fast_precision, setting

PIPELINES = ("blindspot", "blindspot_mean", "workshop", "n2c", "n2n")
NOISE_PARAMS = ("known", "global", "per_image")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Defaults are those of Laine et al. 2019. Written to the run folder as config.json."""

    noise: str = setting(
        "gauss25", "Noise to add, as gauss25, gauss5_50, poisson30, impulse50; or none."
    )
    pipeline: str = setting("blindspot", "blindspot, blindspot_mean, workshop, n2c or n2n.")
    noise_params: str = setting(
        "known", "Where the noise level comes from: known, global, per_image."
    )
    diagonal_covariance: bool = setting(False, "Channels independent given their surroundings.")
    channels: int = setting(3, "1 (grey) or 3 (colour).")
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    batch_size: int = setting(4, "Crops a step.")
    crop_size: int = setting(256, "Side of a training crop, pixels; a multiple of 32.")
    learning_rate: float = setting(3e-4, "At the top of its ramp.")
    noise_rate: float = setting(
        1.0, "Factor of the rate of a global noise level; 10 if training is short."
    )
    precision: str = setting("float32", "Arithmetic of the training: float32 or bfloat16.")
    seed: int = setting(0, "Of initial weights, crops and noise.")
    white_level: float = setting(0.0, "Stored value that stands for 1; 0: the file type's largest.")
    train_set: str = setting(
        "sample", "Training images: sample, a named set, folder, glob, .h5, .tfrecords."
    )
    validation_set: str | None = setting(None, "Validation images, likewise.", str)

    def __post_init__(self):
        check_values(self)
        noise = noise_levels.parse(self.noise)
        _expect("pipeline", self.pipeline, PIPELINES)
        _expect("noise_params", self.noise_params, NOISE_PARAMS)
        _expect("channels", self.channels, (1, 3))
        _expect("precision", self.precision, ("float32", "bfloat16"))
        if self.crop_size < 32 or self.crop_size % 32:
            raise ValueError(
                f"crop_size={self.crop_size}: expected a multiple of 32 (five poolings)."
            )
        for name in ("batch_size", "learning_rate", "noise_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected more than 0.")
        if self.num_images is not None and self.num_images < self.batch_size:
            raise ValueError(f"num_images={self.num_images}: expected at least one batch.")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed={self.seed}: expected 0 to 2147483647.")
        if self.white_level < 0:
            raise ValueError(f"white_level={self.white_level}: expected 0 or more.")
        if noise.model == "none" and self.pipeline in ("n2c", "n2n"):
            raise ValueError(
                f"pipeline={self.pipeline!r} with noise='none': it needs second images."
            )
        if self.has_likelihood and noise.model == "none" and self.noise_params == "known":
            raise ValueError(
                "noise='none' with noise_params='known': the level of real noise is not known; "
                "set noise_params to global or per_image."
            )
        if self.has_likelihood and noise.model == "impulse" and self.channels == 1:
            raise ValueError("noise='impulse...' with channels=1: defined for 3 channels only.")
        if self.pipeline == "workshop" and (noise.model != "gauss" or self.noise_params != "known"):
            raise ValueError(
                f"pipeline='workshop' with noise={self.noise!r} and "
                f"noise_params={self.noise_params!r}: "
                "its formulation is for Gaussian noise of known level."
            )

    @property
    def has_likelihood(self):
        """Whether the network describes a distribution, of which the noise level is a part."""
        return self.pipeline in ("blindspot", "workshop")

    @property
    def noise_model(self):
        """gauss, poisson or impulse; really noisy images are taken for Gaussian."""
        model = noise_levels.parse(self.noise).model
        return "gauss" if model == "none" else model

    def completed(self):
        """With the paper's length of training and a validation set where none was given."""
        return dataclasses.replace(
            self,
            num_images=self.num_images or self._papers_length(),
            # Photographs from scikit-image say nothing about somebody's own noise or camera.
            validation_set=self.validation_set
            or (self.train_set if self.noise == "none" or self.white_level else "sample"),
        )

    def _papers_length(self):
        lengths = {"n2c": 16, "n2n": 16, "blindspot": 4, "blindspot_mean": 8}
        if self.pipeline == "workshop":
            return 1_200_000
        return 1_000_000 * (lengths[self.pipeline] if self.noise_model == "impulse" else 2)


def _expect(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: expected {', '.join(map(str, allowed))}.")


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
