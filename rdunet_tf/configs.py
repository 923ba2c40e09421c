"""The settings of an RDUNet training, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of an RDUNet training. The configuration `published` has the published ones.

    The defaults train on noise that is not clipped, as all methods here do. The run folder holds
    them as config.json.
    """

    AUGMENTS: typing.ClassVar[bool] = True

    noise: noises.Noise | None = setting(
        "gauss0_50", "Noise to add, for instance gauss0_50, gauss25 or poisson30.", noises.Noise
    )
    targets: str = setting(
        "clean",
        "Targets of the training: clean (the crop) or noisy (the crop with other noise, as in "
        "Noise2Noise).",
    )
    width: int = setting(
        128, "Features of the network's first level; an even number.", positive=True
    )
    batch_size: int = setting(16, "Crops in a step.", positive=True)
    crop_size: int = setting(64, "Side of a training crop, pixels; a multiple of 8.")
    learning_rate: float | None = setting(
        1e-4,
        "Learning rate at the start; it is halved six times in the training.",
        float,
        positive=True,
    )
    weight_decay: float = setting(1e-5, "Weight decay of AdamW.")
    initial: str = setting(
        "near_identity",
        "Initial kernels: near_identity (He's, those that end a block or the network smaller, for "
        "short trainings) or torch (PyTorch's default, as published).",
    )

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("clean", "noisy"))
        expect("initial", self.initial, ("near_identity", "torch"))
        if self.targets == "noisy" and self.noise.RECOVERED_BY != "mean":
            raise ValueError(
                f"noise='{self.noise}' with targets='noisy': its mean is not the image; "
                "use n2n_tf, which has losses for such noise."
            )
        if self.width % 2:
            raise ValueError(f"width={self.width}: expected an even number.")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay={self.weight_decay}: expected 0 or more.")

    @property
    def side_multiple(self):
        """What the sides of a crop must be a multiple of, pixels."""
        return 8  # three halvings

    def label(self):
        """A short name of the training: gauss0_50-width128, gauss0_50-width32-n2n-mono."""
        parts = [str(self.noise), f"width{self.width}"]
        parts += ["n2n"] if self.targets == "noisy" else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        """The configuration without any None; its length is 21 epochs, as in the paper."""
        is_gauss = isinstance(self.noise, noises.Gauss)
        return super().completed(
            # An epoch of the paper is one pass over its data set; here it is 64,000 crops.
            num_images=21 * 64_000,
            validation_noise=self.noise.typical() if is_gauss else self.noise,
        )


DEFAULT = "gauss0_50"
NAMED = {
    f"gauss0_50{targets_suffix}{channels_suffix}": Config(targets=targets, channels=channels)
    for targets_suffix, targets in (("", "clean"), ("-n2n", "noisy"))
    for channels_suffix, channels in (("", 3), ("-mono", 1))
}

# As published, but for the images: the authors trained on DIV2K, about 10.9 million crops in all,
# --train_set=FOLDER --num_images=10900000, and validated after each of 21 epochs.
PUBLISHED: dict[str, typing.Any] = {
    "noise": "gauss5_50_step5_clipped",
    "validation_noise": "gauss25_clipped",
    "augment": True,
    "initial": "torch",
    "keep": "best",
    "validate_on": "all",
    "grey": "luminance",
}
NAMED |= {
    "published": Config(**PUBLISHED),
    "published-mono": Config(**PUBLISHED, channels=1),
}

# For the sample photographs: a few minutes on two CPU cores.
SHORT = {
    "num_images": 5000,
    "width": 16,
    "batch_size": 1,
    "learning_rate": 1e-3,
    "precision": processor.fast_precision(),
}
