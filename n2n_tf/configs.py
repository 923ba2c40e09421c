"""The settings of a Noise2Noise training, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting

SEQUENTIAL = ("nn_relu", "nn_sigmoid", "convtrans_relu", "convtrans_sigmoid")
NETWORKS = ("unet", *SEQUENTIAL)
TARGETS = {"noisy": "n2n", "clean": "n2c"}  # setting -> the original's name of it
LOSSES = ("l2", "l1", "l0", "masked_l2")

# The statistic of the noisy values that equals the clean value -> the loss that learns it. Noise of
# mean zero keeps the mean, text keeps the median, and impulses keep the mode. Lost pixels teach
# nothing, so their loss leaves them out (Lehtinen et al. 2018, section 3).
LOSS = {"mean": "l2", "median": "l1", "mode": "l0", "kept mean": "masked_l2"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of a Noise2Noise training; the defaults are those of Lehtinen et al. 2018.

    The run folder holds them as config.json.
    """

    AUGMENTS: typing.ClassVar[bool] = True
    FAST_RATE: typing.ClassVar[float] = 1e-3
    FAST_OPTIMIZER: typing.ClassVar[str] = "muon"
    OPTIMIZERS: typing.ClassVar[tuple] = ("adam", "muon", "sgd")
    CROP_GROWTHS: typing.ClassVar[tuple] = (1, 2, 4)
    FAST_CROP_GROWTH: typing.ClassVar[int] = 4
    NOISES: typing.ClassVar[tuple] = noises.MODELS
    OWN_FILES: typing.ClassVar[tuple] = ("pairs",)

    noise: noises.Noise | None = setting(
        None,
        "Noise to add: gauss25, gauss0_50, poisson30, impulse50, bernoulli50, text25, ...",
        noises.Noise,
    )
    targets: str = setting(
        "noisy", "Targets of the training: noisy (the crop with other noise) or clean (the crop)."
    )
    pairs: str | None = setting(
        None,
        "Folder of noisy acquisitions, used instead of train_set: a sub-folder or a stack for each "
        "scene, with two or more acquisitions of it. validation_set is then such a folder too.",
        str,
    )
    network: str = setting("unet", f"Network: {', '.join(NETWORKS)}.")
    loss: str | None = setting(
        None,
        "Loss: l2 (squared error), l1 (absolute error), l0 (a power of the error that falls from 2 "
        "to 0.5) or masked_l2 (squared error of the pixels that bernoulli noise kept). By default "
        "the one that suits the noise.",
        str,
    )
    optimizer: str | None = setting(
        None,
        "Optimiser: muon (of schedule=fast, whose default it is), adam, or sgd with momentum 0.9. "
        "With schedule=paper by default sgd for the four small networks, and adam for the U-Net.",
        str,
    )
    learning_rate: float | None = setting(
        None, "Learning rate at the top of its schedule.", float, positive=True
    )
    ramp_down: float | None = setting(
        None,
        "With schedule=paper: last share of the training in which the learning rate falls, 0 to 1.",
        float,
    )

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("noisy", "clean"))
        expect("network", self.network, NETWORKS)
        expect("loss", self.loss, (None, *LOSSES))
        if self.schedule == "fast" and self.optimizer == "sgd":
            raise ValueError("schedule='fast' with optimizer='sgd': give adam or muon, or neither.")
        if self.ramp_down is not None and not 0 <= self.ramp_down <= 1:
            raise ValueError(f"ramp_down={self.ramp_down}: expected 0 to 1.")
        adds_noise = self.noise is not None and not self.noise.is_none
        if self.pairs and self.train_set != "sample":
            raise ValueError(f"pairs={self.pairs!r} with train_set={self.train_set!r}: give one.")
        if self.pairs and (adds_noise or self.targets == "clean"):
            raise ValueError(
                f"pairs={self.pairs!r} with noise='{self.noise}' and targets={self.targets!r}: "
                "the pairs are noisy already and have no clean images; leave noise and targets out."
            )
        if self.noise is not None and self.noise.is_none and not self.pairs:
            raise ValueError("noise='none': Noise2Noise then needs --pairs=FOLDER.")
        loses_pixels = self.noise is not None and self.noise.RECOVERED_BY == "kept mean"
        if self.loss == "masked_l2" and not loses_pixels:
            raise ValueError(f"loss='masked_l2' with noise='{self.noise}': it is for bernoulli.")

    @property
    def side_multiple(self):
        """What the sides of a crop must be a multiple of, pixels."""
        return 4 if self.network in SEQUENTIAL else 32  # two halvings, or five

    def label(self):
        """A short name of the training: gauss0_50-n2n, gauss25-n2c-nn_relu or pairs."""
        parts = ["pairs"] if self.pairs else [str(self.noise), TARGETS[self.targets]]
        parts += [self.network] if self.network in SEQUENTIAL else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def own_schedule(self):
        """See Config; the small networks have the paper's SGD, unless another is asked for."""
        asked = self.optimizer or ("sgd" if self.network in SEQUENTIAL else None)
        return "paper" if asked == "sgd" else super().own_schedule()

    def _fast_growth(self):
        """See Config; crops grow where the network has to tell how strong the noise is.

        On small crops alone it learns to tell by their borders, which whole images lack.
        """
        asks = self.noise is not None and not (self.noise.is_fixed or self.noise.is_none)
        return super()._fast_growth() if asks else 1

    def completed(self):
        """The configuration without any None: what the paper has for these targets and noise."""
        noise = self.noise or (noises.NoNoise() if self.pairs else noises.Gauss(0, 50))
        sgd = self.network in SEQUENTIAL and self.schedule != "fast"
        clean = self.targets == "clean"
        config = dataclasses.replace(self, noise=noise)
        return super(Config, config).completed(
            num_images=1_200_000,
            loss="l2" if clean else LOSS[noise.RECOVERED_BY],
            learning_rate=0.1 if sgd else 3e-4,
            ramp_down=0.0 if sgd else 0.3,
            **({"optimizer": "sgd"} if sgd else {}),
            **({"validation_set": self.pairs} if self.pairs else {}),
            validation_noise=noise.typical(),
        )


def _named():
    configs = {}
    for name, noise in (("gaussian", None), ("poisson", "poisson0.001_50")):
        for targets, short in TARGETS.items():
            settings = {"noise": noise, "targets": targets}
            configs[f"{name}-{short}"] = Config(**settings)
            # 500,000 steps instead of 300,000; the rate falls over the last half.
            configs[f"{name}-{short}-long"] = Config(
                **settings, num_images=2_000_000, ramp_down=0.5, schedule="paper"
            )
    for name, noise in (
        ("text", "text0_50"),
        ("impulse", "impulse0_95"),
        ("bernoulli", "bernoulli0_95"),
    ):
        configs[f"{name}-n2n"] = Config(
            noise=noise, validation_noise=f"{name}{25 if name == 'text' else 50}"
        )
    for network in SEQUENTIAL:
        configs[f"gaussian-n2n-{network}"] = Config(
            noise="gauss25", network=network, crop_size=32, schedule="paper"
        )
    return configs


DEFAULT = "gaussian-n2n"
NAMED = _named()

# For the sample photographs: a few minutes on two CPU cores. With crops of this size, one in a
# step, ssdn_tf learned most in the same time; see RESULTS.md.
SHORT = {
    "num_images": 8000,
    "batch_size": 1,
    "crop_size": 64,
    "precision": processor.fast_precision(),
}
