"""What a Noise2Noise training depends on, and the settings that have a name."""

import dataclasses
import typing

from common import configuration
from common import noise as noises
from common.configuration import expect, fast_precision, setting

SEQUENTIAL = ("nn_relu", "nn_sigmoid", "convtrans_relu", "convtrans_sigmoid")
NETWORKS = ("unet", *SEQUENTIAL)
TARGETS = {"noisy": "n2n", "clean": "n2c"}  # and how the original calls them
LOSSES = ("l2", "l1", "l0", "masked_l2")

# By what finds the clean value among noisy ones: zero-mean noise is averaged away; text leaves the
# median right, impulses the mode; of lost pixels there is nothing to learn (Lehtinen et al. 2018,
# section 3).
LOSS = {"mean": "l2", "median": "l1", "mode": "l0", "kept mean": "masked_l2"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Defaults are those of Lehtinen et al. 2018. Written to the run folder as config.json."""

    NOISES: typing.ClassVar[tuple] = noises.MODELS
    OWN_FILES: typing.ClassVar[tuple] = ("pairs",)

    noise: noises.Noise | None = setting(
        None,
        "Noise to add: gauss25, gauss0_50, poisson30, impulse50, bernoulli50, text25, ...",
        noises.Noise,
    )
    targets: str = setting("noisy", "noisy: another noisy version of the crop; clean: the crop.")
    pairs: str | None = setting(
        None,
        "Really noisy images instead of train_set: a folder with a sub-folder for each scene, or "
        "with a stack for each, of two or more acquisitions. validation_set is then another such.",
        str,
    )
    network: str = setting("unet", f"{', '.join(NETWORKS)}.")
    loss: str | None = setting(None, f"{', '.join(LOSSES)}; as fits the noise if not given.", str)
    optimizer: str | None = setting(
        None, "adam or sgd, momentum 0.9; if not given sgd for the small networks, else adam.", str
    )
    learning_rate: float | None = setting(
        None, "Learning rate before its ramp down.", float, positive=True
    )
    ramp_down: float | None = setting(
        None, "Share of the training, its last, in which the learning rate falls.", float
    )

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("noisy", "clean"))
        expect("network", self.network, NETWORKS)
        expect("loss", self.loss, (None, *LOSSES))
        expect("optimizer", self.optimizer, (None, "adam", "sgd"))
        if self.ramp_down is not None and not 0 <= self.ramp_down <= 1:
            raise ValueError(f"ramp_down={self.ramp_down}: expected 0 to 1.")
        adds_noise = self.noise is not None and not self.noise.is_none
        if self.pairs and self.train_set != "sample":
            raise ValueError(f"pairs={self.pairs!r} with train_set={self.train_set!r}: give one.")
        if self.pairs and (adds_noise or self.targets == "clean"):
            raise ValueError(
                f"pairs={self.pairs!r} with noise='{self.noise}' and targets={self.targets!r}: "
                "the pairs are noisy already, and nothing else is there; leave both out."
            )
        if self.noise is not None and self.noise.is_none and not self.pairs:
            raise ValueError("noise='none': Noise2Noise then needs --pairs=FOLDER.")
        loses_pixels = self.noise is not None and self.noise.RECOVERED_BY == "kept mean"
        if self.loss == "masked_l2" and not loses_pixels:
            raise ValueError(f"loss='masked_l2' with noise='{self.noise}': it is for bernoulli.")

    @property
    def side_multiple(self):
        return 4 if self.network in SEQUENTIAL else 32  # two halvings, or five

    def label(self):
        """gauss0_50-n2n, gauss25-n2c-nn_relu, pairs."""
        parts = ["pairs"] if self.pairs else [str(self.noise), TARGETS[self.targets]]
        parts += [self.network] if self.network in SEQUENTIAL else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        noise = self.noise or (noises.NoNoise() if self.pairs else noises.Gauss(0, 50))
        sequential = self.network in SEQUENTIAL
        clean = self.targets == "clean"
        config = dataclasses.replace(self, noise=noise)
        return super(Config, config).completed(
            num_images=1_200_000,
            loss="l2" if clean else LOSS[noise.RECOVERED_BY],
            optimizer="sgd" if sequential else "adam",
            learning_rate=0.1 if sequential else 3e-4,
            ramp_down=0.0 if sequential else 0.3,
            **({"validation_set": self.pairs} if self.pairs else {}),
            validation_noise=noise.typical(),
        )


def _named():
    configs = {}
    for name, noise in (("gaussian", None), ("poisson", "poisson0.001_50")):
        for targets, short in TARGETS.items():
            settings = {"noise": noise, "targets": targets}
            configs[f"{name}-{short}"] = Config(**settings)
            # 500,000 steps instead of 300,000, the rate falling over the last half.
            configs[f"{name}-{short}-long"] = Config(
                **settings, num_images=2_000_000, ramp_down=0.5
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
        configs[f"gaussian-n2n-{network}"] = Config(noise="gauss25", network=network, crop_size=32)
    return configs


DEFAULT = "gaussian-n2n"
NAMED = _named()

# For the sample photographs: minutes on two CPU cores. Crops as ssdn_tf learned most from in a
# given time, see RESULTS.md.
SHORT = {
    "num_images": 8000,
    "batch_size": 1,
    "crop_size": 64,
    "precision": fast_precision(),
}
