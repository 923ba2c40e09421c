"""What a Noise2Noise training depends on, and the settings that have a name."""

import dataclasses
import typing

from common import configs, noise_levels
from common.configs import expect, fast_precision, setting

SEQUENTIAL = ("nn_relu", "nn_sigmoid", "convtrans_relu", "convtrans_sigmoid")
NETWORKS = ("unet", *SEQUENTIAL)
LOSSES = ("l2", "l1", "l0", "masked_l2")

# Of noise that is a range, as the original validates.
VALIDATION_NOISE = {"gauss": "gauss25", "poisson": "poisson30"}
# Zero-mean noise is averaged away; text leaves the median right, impulses the mode, and of lost
# pixels there is nothing to learn (Lehtinen et al. 2018, section 3).
LOSS = {"text": "l1", "impulse": "l0", "bernoulli": "masked_l2"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configs.Config):
    """Defaults are those of Lehtinen et al. 2018. Written to the run folder as config.json."""

    NOISES: typing.ClassVar[tuple] = ("none", *configs.Config.NOISES)

    noise: str | None = setting(
        None,
        "Noise to add: gauss25, gauss0_50, poisson30, impulse50, bernoulli50, text25, ...",
        str,
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
    learning_rate: float | None = setting(None, "Before its ramp down.", float, positive=True)
    ramp_down: float | None = setting(
        None, "Share of the training, its last, in which the learning rate falls.", float
    )

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("noisy", "clean"))
        if self.network == "rdunet":
            raise ValueError(
                "network='rdunet': that is `python -m rdunet_tf.train --targets=noisy`."
            )
        expect("network", self.network, NETWORKS)
        expect("loss", self.loss, (None, *LOSSES))
        expect("optimizer", self.optimizer, (None, "adam", "sgd"))
        if self.ramp_down is not None and not 0 <= self.ramp_down <= 1:
            raise ValueError(f"ramp_down={self.ramp_down}: expected 0 to 1.")
        model = self.noise and noise_levels.parse(self.noise).model
        if self.pairs and self.train_set != "sample":
            raise ValueError(f"pairs={self.pairs!r} with train_set={self.train_set!r}: give one.")
        if self.pairs and (model not in (None, "none") or self.targets == "clean"):
            raise ValueError(
                f"pairs={self.pairs!r} with noise={self.noise!r} and targets={self.targets!r}: "
                "the pairs are noisy already, and nothing else is there; leave both out."
            )
        if model == "none" and not self.pairs:
            raise ValueError("noise='none': Noise2Noise then needs --pairs=FOLDER.")
        if self.loss == "masked_l2" and model != "bernoulli":
            raise ValueError(f"loss='masked_l2' with noise={self.noise!r}: it is for bernoulli.")

    @property
    def side_multiple(self):
        return 4 if self.network in SEQUENTIAL else 32  # two halvings, or five

    def completed(self):
        noise = self.noise or ("none" if self.pairs else "gauss0_50")
        parsed = noise_levels.parse(noise)
        sequential = self.network in SEQUENTIAL
        clean = self.targets == "clean"
        config = dataclasses.replace(self, noise=noise)
        return super(Config, config).completed(
            num_images=1_200_000,
            loss="l2" if clean else LOSS.get(parsed.model, "l2"),
            optimizer="sgd" if sequential else "adam",
            learning_rate=0.1 if sequential else 3e-4,
            ramp_down=0.0 if sequential else 0.3,
            **({"validation_set": self.pairs} if self.pairs else {}),
            validation_noise=noise
            if parsed.is_fixed
            else VALIDATION_NOISE.get(parsed.model, noise),
        )


def _named():
    found = {}
    for name, noise in (("gaussian", None), ("poisson", "poisson0.001_50")):
        for short, targets in (("n2n", "noisy"), ("n2c", "clean")):
            settings = {"noise": noise, "targets": targets}
            found[f"{name}-{short}"] = Config(**settings)
            # 500,000 steps instead of 300,000, the rate falling over the last half.
            found[f"{name}-{short}-long"] = Config(**settings, num_images=2_000_000, ramp_down=0.5)
    for name, noise in (
        ("text", "text0_50"),
        ("impulse", "impulse0_95"),
        ("bernoulli", "bernoulli0_95"),
    ):
        found[f"{name}-n2n"] = Config(
            noise=noise, validation_noise=f"{name}{25 if name == 'text' else 50}"
        )
    for network in SEQUENTIAL:
        found[f"gaussian-n2n-{network}"] = Config(noise="gauss25", network=network, crop_size=32)
    return found


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
