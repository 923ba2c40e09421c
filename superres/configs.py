"""What a training of super-resolution depends on, and the settings that have a name."""

import dataclasses
import typing

from common import configs, noise_levels
from common.configs import expect, fast_precision, setting

SCALES = (2, 3, 4)
LEARNERS = ("n2n", "n2v")
TARGETS = ("noisy_hr", "clean_hr", "bicubic")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configs.Config):
    """Written to the run folder as config.json; see Cadiou & Dervishi, section 4.1, figure 4."""

    NOISES: typing.ClassVar[tuple] = ("gauss", "poisson")

    scale: int = setting(2, "How many times larger images become, along each side: 2, 3 or 4.")
    learner: str = setting(
        "n2n", "n2n: pairs, the U-Net of Noise2Noise; n2v: hidden pixels, that of Noise2Void."
    )
    target: str | None = setting(
        None,
        "What n2n learns from: noisy_hr, the large image with target_noise; clean_hr; bicubic, as "
        "the report: the enlarged image itself, with other noise.",
        str,
    )
    noise: str | None = setting(
        None, "Noise on the enlarged image that comes in: gauss0 (none), gauss10, gauss0_25.", str
    )
    target_noise: str | None = setting(None, "Noise on the target, likewise.", str)
    own_copies: bool = setting(
        False,
        "Train on smaller copies of the images too, turned and mirrored: for a single image.",
    )
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    crop_size: int = setting(
        96, "Side of a crop of the large image, pixels; a multiple of 32 and of the scale."
    )
    learning_rate: float | None = setting(1e-3, "Before its ramp down.", float, positive=True)
    perc_pix: float = setting(1.5, "Of n2v: blind spots, per cent of a crop.", positive=True)
    radius: int = setting(5, "Of n2v: of the neighbourhood that fills them.", positive=True)

    def __post_init__(self):
        super().__post_init__()
        expect("scale", self.scale, SCALES)
        expect("learner", self.learner, LEARNERS)
        expect("target", self.target, (None, *TARGETS))
        if self.crop_size % self.scale:
            raise ValueError(
                f"crop_size={self.crop_size}: expected a multiple of scale={self.scale} too; 96 is "
                "one of 2, 3 and 4."
            )
        if self.learner == "n2v" and self.target not in (None, "bicubic"):
            raise ValueError(
                f"learner='n2v' with target={self.target!r}: it learns from the noisy image "
                "itself; leave target out."
            )
        if self.target == "clean_hr" and self.target_noise not in (None, "gauss0"):
            raise ValueError(f"target='clean_hr' with target_noise={self.target_noise!r}.")
        if self.target_noise is not None:
            self.check_noise("target_noise", self.target_noise)
        if self.learner == "n2v" and self.target_noise not in (None, self.noise):
            raise ValueError(
                f"learner='n2v' with target_noise={self.target_noise!r}: its target is the input."
            )
        learns_noise = self.learner == "n2v" or self.target == "bicubic"
        if learns_noise and self.noise and noise_levels.parse(self.noise).high == 0:
            raise ValueError(
                f"noise={self.noise!r}: without noise there is nothing to learn from the enlarged "
                "image; leave it out, or take target=noisy_hr."
            )
        if self.perc_pix > 100:
            raise ValueError(f"perc_pix={self.perc_pix}: expected at most 100.")

    def completed(self):
        report = self.learner == "n2v" or self.target == "bicubic"
        noise = self.noise or ("gauss25" if report else "gauss0")
        target = self.target or ("bicubic" if self.learner == "n2v" else "noisy_hr")
        target_noise = {"bicubic": noise, "clean_hr": "gauss0", "noisy_hr": "gauss25"}[target]
        own = {"validation_set": self.train_set} if self.own_copies else {}
        config = dataclasses.replace(
            self,
            noise=noise,
            target=target,
            target_noise=self.target_noise or target_noise,
        )
        return super(Config, config).completed(num_images=80_000, **own)


DEFAULT = "noisy_hr"
NAMED = {
    "noisy_hr": Config(),
    "clean_hr": Config(target="clean_hr"),
    "bicubic-n2n": Config(target="bicubic"),  # the report's two
    "bicubic-n2v": Config(learner="n2v"),
    "single_image": Config(target_noise="gauss0", own_copies=True, num_images=6000),
}

# For the sample photographs: minutes on two CPU cores.
SHORT = {
    "num_images": 6000,
    "precision": fast_precision(),
}
