"""The settings of a distillation, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting
from n2n_tf import configs as n2n

NETWORKS = ("mwcnn", *n2n.NETWORKS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of a distillation. The run folder holds them as config.json."""

    NOISES: typing.ClassVar[tuple] = (
        noises.NoNoise,
        noises.Gauss,
        noises.Poisson,
        noises.PoissonGauss,
        noises.MultiGauss,
    )
    FAST_RATE: typing.ClassVar[float] = 6e-4

    noise: noises.Noise | None = setting(
        "gauss25",
        "Noise to add to the images of noisy_set; none where they are noisy already.",
        noises.Noise,
    )
    teacher: str = setting("", "Run folder of the D-BSN to learn from. Required.")
    noisy_set: str = setting(
        "",
        "Noisy images, named as train_set is, which has the clean ones. They share no scene. "
        "Required.",
    )
    noisy_weight: float = setting(
        0.1, "Lambda: how much the noisy images count beside the clean ones.", positive=True
    )
    network: str = setting(
        "mwcnn",
        "The second denoiser: mwcnn (over wavelet levels) or one of Noise2Noise's: "
        f"{', '.join(n2n.NETWORKS)}.",
    )
    width: int = setting(
        160, "Features of mwcnn's first level; the others have 1.6 times as many.", positive=True
    )
    batch_size: int = setting(8, "Crops in a step, clean and noisy ones in turn.", positive=True)
    crop_size: int = setting(
        96, "Side of a training crop, pixels; a multiple of 8 (mwcnn), 32 or 4."
    )

    def __post_init__(self):
        super().__post_init__()
        expect("network", self.network, NETWORKS)
        if self.noisy_weight > 1:
            raise ValueError(
                f"noisy_weight={self.noisy_weight}: expected more than 0 and at most 1."
            )

    @property
    def side_multiple(self):
        """What the sides of a crop must be a multiple of, pixels."""
        return 8 if self.network == "mwcnn" else self.student().side_multiple

    def student(self):
        """The configuration of the second denoiser, if it is one of Noise2Noise's."""
        shared = {"channels": self.channels, "precision": self.precision, "seed": self.seed}
        return n2n.Config(network=self.network, **shared).completed()

    @property
    def levels(self):
        """Features of mwcnn's levels, the finest first."""
        wide = round(1.6 * self.width)
        return self.width, wide, wide

    def label(self):
        """A short name of the training: gauss25-mwcnn-mono."""
        parts = [str(self.noise), self.network]
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        """The configuration without any None; noisy files are validated on themselves."""
        own = {"validation_set": self.noisy_set} if self.noise.is_none and self.noisy_set else {}
        return super().completed(num_images=1_000_000, **own)


DEFAULT = "mwcnn-mono"
NAMED = {
    f"{network}{suffix}": Config(network=network, channels=channels)
    for network in ("mwcnn", "unet")
    for suffix, channels in (("-mono", 1), ("", 3))
}

# For the sample photographs: some minutes on two CPU cores.
SHORT = {
    "num_images": 2000,
    "batch_size": 2,
    "crop_size": 64,
    "width": 32,
    "precision": processor.fast_precision(),
}
