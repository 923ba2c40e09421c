"""The settings of a super-resolution training, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting

SCALES = (2, 3, 4)
LEARNERS = ("n2n", "n2v")
TARGETS = ("noisy_hr", "clean_hr", "bicubic")
GAUSS0, GAUSS25 = noises.Gauss(0, 0), noises.Gauss(25, 25)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of a super-resolution training, after Cadiou & Dervishi, section 4.1, figure 4.

    The run folder holds them as config.json.
    """

    FAST_RATE: typing.ClassVar[float] = 1e-3
    CROP_GROWTHS: typing.ClassVar[tuple] = (1, 2, 4)
    FAST_CROP_GROWTH: typing.ClassVar[int] = 4
    NOISES: typing.ClassVar[tuple] = (
        noises.Gauss,
        noises.Poisson,
        noises.PoissonGauss,
        noises.MultiGauss,
    )

    scale: int = setting(2, "Factor by which the sides of images are enlarged: 2, 3 or 4.")
    learner: str = setting(
        "n2n",
        "Method and network: n2n (pairs of images, U-Net of Noise2Noise) or n2v (hidden pixels, "
        "U-Net of Noise2Void).",
    )
    target: str | None = setting(
        None,
        "Target of learner=n2n: noisy_hr (the large image with target_noise), clean_hr (the large "
        "image) or bicubic (the enlarged image with other noise, as in the report).",
        str,
    )
    noise: noises.Noise | None = setting(
        None,
        "Noise to add to the enlarged image, the network's input, for instance gauss0 (none), "
        "gauss10 or gauss0_25.",
        noises.Noise,
    )
    target_noise: noises.Noise | None = setting(
        None, "Noise to add to the target, in the same form as noise.", noises.Noise
    )
    own_copies: bool = setting(
        False,
        "Also train on smaller copies of the images, turned and mirrored at random; for a training "
        "on a single image.",
    )
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    crop_size: int = setting(
        96, "Side of a crop of the large image, pixels; a multiple of 32 and of the scale."
    )
    learning_rate: float | None = setting(
        None, "Learning rate at the top of its schedule.", float, positive=True
    )
    perc_pix: float = setting(
        1.5,
        "With learner=n2v: share of a crop's pixels that are blind spots, per cent.",
        positive=True,
    )
    radius: int = setting(
        5,
        "With learner=n2v: radius of the neighbourhood whose values replace the blind spots, "
        "pixels.",
        positive=True,
    )

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
        without_noise = (None, GAUSS0)
        if self.target == "clean_hr" and self.target_noise not in without_noise:
            raise ValueError(
                f"target='clean_hr' with target_noise='{self.target_noise}': a clean target has no "
                "noise; leave target_noise out."
            )
        if self.target_noise is not None:
            self.check_noise("target_noise", self.target_noise)
        if self.learner == "n2v" and self.target_noise not in (None, self.noise):
            raise ValueError(
                f"learner='n2v' with target_noise='{self.target_noise}': its target is the input."
            )
        learns_noise = self.learner == "n2v" or self.target == "bicubic"
        if learns_noise and self.noise is not None and self.noise.high == 0:
            raise ValueError(
                f"noise='{self.noise}': without noise there is nothing to learn from the enlarged "
                "image; leave it out, or take target=noisy_hr."
            )
        if self.perc_pix > 100:
            raise ValueError(f"perc_pix={self.perc_pix}: expected at most 100.")

    def label(self):
        """A short name of the training: x2-noisy_hr, x3-n2v-mono, x2-noisy_hr-single."""
        learned = "n2v" if self.learner == "n2v" else self.target
        parts = [f"x{self.scale}", str(learned)] + (["single"] if self.own_copies else [])
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        """The configuration without any None: target and noises of the learner."""
        report = self.learner == "n2v" or self.target == "bicubic"
        noise = self.noise or (GAUSS25 if report else GAUSS0)
        target = self.target or ("bicubic" if self.learner == "n2v" else "noisy_hr")
        target_noise = {"bicubic": noise, "clean_hr": GAUSS0, "noisy_hr": GAUSS25}[target]
        own = {"validation_set": self.train_set} if self.own_copies else {}
        config = dataclasses.replace(
            self,
            noise=noise,
            target=target,
            target_noise=self.target_noise or target_noise,
        )
        return super(Config, config).completed(num_images=80_000, learning_rate=1e-3, **own)


DEFAULT = "noisy_hr"
NAMED = {
    "noisy_hr": Config(),
    "clean_hr": Config(target="clean_hr"),
    # The two of the report.
    "bicubic-n2n": Config(target="bicubic"),
    "bicubic-n2v": Config(learner="n2v"),
    "single_image": Config(target_noise=GAUSS0, own_copies=True, num_images=6000),
}

# For the sample photographs: a few minutes on two CPU cores.
SHORT = {
    "num_images": 6000,
    "precision": processor.fast_precision(),
}
