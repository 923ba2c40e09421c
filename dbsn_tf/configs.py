"""The settings of a D-BSN training, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting
from common.crop_stages import CropStage

STAGES = {"mu": 0.6, "sigma": 0.1, "joint": 0.3}  # shares of the training, in crops
VARIANCES = ("white", "signal", "multivariate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of a D-BSN training. The run folder holds them as config.json."""

    AUGMENTS: typing.ClassVar[bool] = True
    FAST_RATE: typing.ClassVar[float] = 6e-4
    RESUMES_WITH: typing.ClassVar[tuple] = ("stage",)
    NOISES: typing.ClassVar[tuple] = (
        noises.NoNoise,
        noises.Gauss,
        noises.Poisson,
        noises.PoissonGauss,
        noises.MultiGauss,
    )

    variance: str | None = setting(
        None,
        "What the variance of the noise depends on: white (one strength an image), signal (the "
        "clean value) or multivariate (colour: one covariance of the channels an image). By "
        "default white for gauss, multivariate for multigauss in colour, else signal.",
        str,
    )
    likelihood: str | None = setting(
        None,
        "Loss of the variances: constrained (the paper's, in which the noise explains all that the "
        "error of the mean need not), marginal (the likelihood of the noisy pixel, as in the "
        "authors' programs; short trainings take all noise for error of the mean), or both: "
        "constrained until the noise is found, marginal in the last stage, which tells the two "
        "apart. By default both for white noise, else constrained.",
        str,
    )
    noise_rate: float | None = setting(
        None,
        "How many times faster than the rest the networks of variances learn: by default 1, and "
        "with schedule=fast 10, which finds the noise in a short training.",
        float,
        positive=True,
    )
    stage: str = setting(
        "all",
        "Train to the end of a stage: mu (the blind-spot network, by its square error), sigma "
        "(the networks of variances, with the first one fixed), or joint or all (everything "
        "together). The stages are 60, 10 and 30 % of num_images; --resume --stage=... goes on.",
    )
    width: int = setting(96, "Features of the blind-spot network.", positive=True)
    blocks: int = setting(
        8,
        "Blocks of each of the network's two branches; its pixels see 6 pixels a block.",
        positive=True,
    )
    blind: str = setting(
        "mask",
        "The first convolutions: mask (their centre is zero) or trimmed (which also makes up for "
        "taps outside of the image).",
    )
    batch_size: int = setting(8, "Crops in a step.", positive=True)
    crop_size: int = setting(96, "Side of a training crop, pixels.")

    def __post_init__(self):
        super().__post_init__()
        expect("variance", self.variance, (None, *VARIANCES))
        expect("likelihood", self.likelihood, (None, "constrained", "marginal", "both"))
        expect("stage", self.stage, ("mu", "sigma", "joint", "all"))
        expect("blind", self.blind, ("mask", "trimmed"))
        if self.keep == "best":
            raise ValueError("keep='best': scores of different stages do not compare.")
        if self.variance == "multivariate" and self.channels == 1:
            raise ValueError("variance='multivariate' with channels=1: it is for 3 channels.")

    @property
    def side_multiple(self):
        """What the sides of a crop must be a multiple of, pixels."""
        return 1  # nothing is halved

    def _ends(self):
        """{stage: the step at which it ends}; a short training may lack some."""
        steps = -(-(self.num_images or 1) // self.batch_size)
        shares = [sum(list(STAGES.values())[: i + 1]) for i in range(len(STAGES))]
        return {stage: max(round(steps * share), 1) for stage, share in zip(STAGES, shares)}

    def crop_stages(self):
        """The stages of the training, which keep the size of the crops."""
        ends = sorted(set(self._ends().values()))
        return [CropStage(end, end / ends[-1], 1) for end in ends]

    def stage_at(self, step):
        """The stage of a step: "mu", "sigma" or "joint"."""
        return next((stage for stage, end in self._ends().items() if step < end), "joint")

    @property
    def last_step(self):
        """The number of steps to take, to the end of the wanted stage."""
        return self._ends().get(self.stage, super().last_step)

    @property
    def gives_mean(self):
        """Whether the model has no variances yet, and restores by the mean alone."""
        return self.stage == "mu"

    @property
    def predicts_std(self):
        """Whether the result has `std`."""
        return not self.gives_mean

    def label(self):
        """A short name of the training: gauss25-white-mono."""
        parts = [str(self.noise), str(self.variance)]
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        """The configuration without any None."""
        variance = "signal"
        if isinstance(self.noise, noises.Gauss):
            variance = "white"
        elif isinstance(self.noise, noises.MultiGauss):
            variance = "multivariate" if self.channels == 3 else "white"
        # Of noise that depends on the signal, marginal likelihood can't tell it from the mean's
        # error: both may vary from pixel to pixel.
        settings = {"variance": variance}
        settings["likelihood"] = "both" if (self.variance or variance) == "white" else "constrained"
        config = super().completed(num_images=1_000_000, **settings)
        if config.noise_rate is None:
            rate = 10.0 if config.schedule == "fast" else 1.0
            config = dataclasses.replace(config, noise_rate=rate)
        return config


def _named() -> dict[str, Config]:
    configs = {}
    for noise in ("gauss25", "gauss5_50", "poisson30", "poissongauss30+5", "multigauss25"):
        settings: dict[str, typing.Any] = {"noise": noise}
        configs[noise] = Config(**settings)
        if noise != "multigauss25":
            configs[f"{noise}-mono"] = Config(**settings, channels=1)
    return configs


DEFAULT = "gauss25-mono"
NAMED = _named()

# For the sample photographs: some minutes on two CPU cores.
SHORT = {
    "num_images": 3000,
    "batch_size": 2,
    "crop_size": 64,
    "width": 48,
    "blocks": 4,
    "precision": processor.fast_precision(),
}
