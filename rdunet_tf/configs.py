"""What an RDUNet training depends on, and the settings that have a name."""

import dataclasses

from common import configuration
from common import noise as noises
from common.configuration import expect, fast_precision, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Defaults are the published ones. Written to the run folder as config.json."""

    noise: noises.Noise | None = setting(
        "gauss0_50", "Noise to add, as gauss0_50 or poisson30.", noises.Noise
    )
    targets: str = setting("clean", "clean: the crop; noisy: another noisy version, Noise2Noise.")
    width: int = setting(
        128, "Features of the network's first level; an even number.", positive=True
    )
    batch_size: int = setting(16, "Crops a step.", positive=True)
    crop_size: int = setting(64, "Side of a training crop, pixels; a multiple of 8.")
    learning_rate: float | None = setting(
        1e-4, "Learning rate at the start; it is halved six times.", float, positive=True
    )
    weight_decay: float = setting(1e-5, "Weight decay of AdamW.")

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("clean", "noisy"))
        if self.targets == "noisy" and self.noise.RECOVERED_BY != "mean":
            raise ValueError(
                f"noise='{self.noise}' with targets='noisy': its mean is not the image; "
                "n2n_tf has losses for it."
            )
        if self.width % 2:
            raise ValueError(f"width={self.width}: expected an even number.")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay={self.weight_decay}: expected 0 or more.")

    @property
    def side_multiple(self):
        return 8  # three halvings

    def label(self):
        parts = [str(self.noise), f"width{self.width}"]
        parts += ["n2n"] if self.targets == "noisy" else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        is_gauss = isinstance(self.noise, noises.Gauss)
        return super().completed(
            # 21 epochs; what an epoch is the paper's data set says, here 64,000 crops.
            num_images=21 * 64_000,
            validation_noise=self.noise.typical() if is_gauss else self.noise,
        )


DEFAULT = "gauss0_50"
NAMED = {
    f"gauss0_50{targets_suffix}{channels_suffix}": Config(targets=targets, channels=channels)
    for targets_suffix, targets in (("", "clean"), ("-n2n", "noisy"))
    for channels_suffix, channels in (("", 3), ("-mono", 1))
}

# For the sample photographs: a few minutes on two CPU cores.
SHORT = {
    "num_images": 5000,
    "width": 16,
    "batch_size": 1,
    "learning_rate": 1e-3,
    "precision": fast_precision(),
}
