"""The settings of an SSDN training, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting

PIPELINES = ("blindspot", "blindspot_mean", "workshop", "n2c", "n2n")
NOISE_PARAMS = ("known", "global", "per_image")
FAST_START = 50.0  # of the noise level with schedule=fast, 255 times the parameter
LARGEST_START = 255.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of an SSDN training; the defaults are those of Laine et al. 2019.

    The run folder holds them as config.json.
    """

    AUGMENTS: typing.ClassVar[bool] = True
    FAST_RATE: typing.ClassVar[float] = 6e-4
    FAST_OPTIMIZER: typing.ClassVar[str] = "muon"
    CROP_GROWTHS: typing.ClassVar[tuple] = (1, 2, 4)
    FAST_CROP_GROWTH: typing.ClassVar[int] = 4
    NOISES: typing.ClassVar[tuple] = (
        noises.NoNoise,
        noises.Gauss,
        noises.Poisson,
        noises.Impulse,
    )

    pipeline: str = setting(
        "blindspot",
        "Network and loss: blindspot (blind-spot network and Bayes' rule), blindspot_mean "
        "(blind-spot network alone), workshop (the formulation of the workshop paper), n2c (plain "
        "network, clean targets) or n2n (plain network, noisy targets).",
    )
    noise_params: str = setting(
        "known",
        "Where the noise level comes from: known (from the setting noise), global (one level is "
        "learned for all images) or per_image (a second network estimates it for each image). With "
        "--noise=none global is the default.",
    )
    diagonal_covariance: bool = setting(
        False, "Model the channels of a pixel as independent of each other (no covariances)."
    )
    as_workshop: bool = setting(
        False,
        "Train as the workshop paper does: for 1.2 million crops, by Adam with its usual betas, at "
        "a rate that stays.",
    )
    noise_rate: float | None = setting(
        None,
        "With noise_params=global: factor of the learning rate of the noise level; short trainings "
        "need about 10. By default 1; 10 with schedule=fast.",
        float,
        positive=True,
    )
    noise_start: float | None = setting(
        None,
        "With noise_params=global: the level that the estimate starts from, 255 times the noise "
        "parameter. It finds the level sooner from above: from below, the network takes the noise "
        "for its own uncertainty. By default 0, which stands for the original's start of 4.9; 50 "
        "with schedule=fast.",
        float,
    )

    def __post_init__(self):
        super().__post_init__()
        expect("pipeline", self.pipeline, PIPELINES)
        expect("noise_params", self.noise_params, NOISE_PARAMS)
        if self.noise_start and not 1 <= self.noise_start <= LARGEST_START:
            raise ValueError(
                f"noise_start={self.noise_start}: expected 0, or 1 to {LARGEST_START:g}, 255 times "
                "the noise parameter."
            )
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
        """Raises ValueError for a noise that the method, or this known noise model, can't take."""
        super().check_noise(name, noise)
        # Otherwise the level of one noise model would be used as the level of another.
        if self.takes_level and not (noise.is_none or self.noise_model == noise.NAME):
            raise ValueError(
                f"{name}='{noise}': this model is for known {self.noise_model} noise, "
                f"as {self.noise}."
            )

    @property
    def has_likelihood(self):
        """Whether the network predicts a distribution, whose likelihood needs the noise level."""
        return self.pipeline in ("blindspot", "workshop")

    @property
    def predicts_std(self):
        """Whether the result has `std`."""
        return self.has_likelihood

    @property
    def estimates_once(self):
        """Whether the level of the noise was estimated in the training, for all files alike."""
        return self.has_likelihood and self.noise_params == "global"

    @property
    def takes_level(self):
        """Whether the model must be given the noise level."""
        return self.has_likelihood and self.noise_params == "known"

    @property
    def finds_level(self):
        """See Config; the likelihood of the workshop paper does not depend on the level."""
        return self.takes_level and self.pipeline == "blindspot"

    @property
    def raw_noise_scale(self):
        """What the weight of a global level is multiplied by: `noise_rate`, 1 as in the original.

        The size of Adam's steps does not depend on the scale of a weight, so this makes the steps
        of the level larger. With 1 a short training ends before the level is near its value
        (RESULTS.md).
        """
        return self.noise_rate or 1.0

    @property
    def pads_with_zeros(self):
        """Whether images whose sides are no multiples of 32 get zeros on the right and below."""
        return self.pipeline not in ("n2c", "n2n")

    def label(self):
        """The name of the configuration in the original's style: gauss25-blindspot-sigma_known."""
        parts = [str(self.noise), self.pipeline + ("_diag" if self.diagonal_covariance else "")]
        parts += [f"sigma_{self.noise_params}"] if self.has_likelihood else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def implied(self, settings):
        """Of files that are noisy already no level is known: one is estimated for all."""
        known = self.takes_level and self.pipeline != "workshop"
        return {"noise_params": "global"} if known and settings.get("noise") == "none" else {}

    def own_schedule(self):
        """The fast one; a network for each image's noise was only seen to train by the paper's."""
        papers = self.as_workshop or self.noise_params == "per_image"
        return "paper" if papers else "fast"

    def completed(self):
        """The configuration without any None; its length is that of the paper."""
        config = super().completed(num_images=self._papers_length())
        hurries = config.schedule == "fast" and config.noise_params == "global"
        # The share of lost pixels is no deviation; it starts where the original's does.
        starts_high = hurries and config.noise_model != "impulse"
        found = {
            "noise_rate": 10.0 if hurries else 1.0,
            "noise_start": FAST_START if starts_high else 0.0,
        }
        missing = {name: value for name, value in found.items() if getattr(config, name) is None}
        return dataclasses.replace(config, **missing)

    def _papers_length(self):
        lengths = {"n2c": 16, "n2n": 16, "blindspot": 4, "blindspot_mean": 8}
        if self.as_workshop or self.pipeline == "workshop":
            return 1_200_000
        return 1_000_000 * (lengths[self.pipeline] if self.noise_model == "impulse" else 2)


def _named():
    configs = {}

    def add(name, **settings):
        configs[name] = Config(**settings)

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
    # The workshop paper, its ablations and its yardsticks; grey is luminance there.
    for suffix, channels, grey in (("", 3, "mean"), ("-mono", 1, "luminance")):
        own = {"as_workshop": True, "channels": channels, "grey": grey}
        add(f"gauss25-workshop-sigma_known{suffix}", pipeline="workshop", **own)
        for name, pipeline in (("l2", "blindspot_mean"), ("n2n", "n2n"), ("n2c", "n2c")):
            add(f"gauss25-workshop_{name}{suffix}", pipeline=pipeline, **own)
    diagonal = {"pipeline": "workshop", "diagonal_covariance": True, "as_workshop": True}
    add("gauss25-workshop_diag-sigma_known", **diagonal)
    # COMP6248, a PyTorch reimplementation, under its names. It clips the noise unless that ends in
    # _nc, and calls global const and per_image var.
    estimates = {"known": "known", "const": "global", "var": "per_image"}
    for style in ("gauss25", "gauss25_nc", "poisson30", "poisson30_nc"):
        noise = style.removesuffix("_nc") if style.endswith("_nc") else f"{style}_clipped"
        for suffix, channels in (("", 3), ("-mono", 1)):
            own = {"noise": noise, "channels": channels}
            for theirs, params in estimates.items():
                add(f"comp6248-ssdn-{style}-sigma_{theirs}{suffix}", noise_params=params, **own)
            for theirs, pipeline in (
                ("ssdn_mean", "blindspot_mean"),
                ("n2n", "n2n"),
                ("n2c", "n2c"),
            ):
                add(f"comp6248-{theirs}-{style}{suffix}", pipeline=pipeline, **own)
    return configs


DEFAULT = "gauss25-blindspot-sigma_known"
NAMED = _named()

# For the sample photographs: a few minutes on two CPU cores. In the same time, many small steps
# teach more than a few large ones; see the table of crops in RESULTS.md.
SHORT = {
    "num_images": 2500,
    "batch_size": 1,
    "crop_size": 64,
    "noise_rate": 10.0,
    "precision": processor.fast_precision(),
}
