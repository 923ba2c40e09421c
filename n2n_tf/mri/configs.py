"""The settings of an MRI training, and the named configurations."""

import dataclasses
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting
from n2n_tf.mri import sampling


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of an MRI training; the defaults are those of Lehtinen et al. 2018.

    The run folder holds them as config.json.
    """

    NOISES: typing.ClassVar[tuple] = (sampling.Spectrum,)
    CHANNELS: typing.ClassVar[tuple] = (1,)

    noise: noises.Noise | None = setting(
        "spectrum2.5",
        "Sampling of the spectra: spectrumP keeps P per cent of the frequencies at the edge of the "
        "spectrum, and more towards its middle.",
        noises.Noise,
    )
    targets: str = setting(
        "noisy",
        "Targets of the training: noisy (the slice with another sampling) or clean (the slice).",
    )
    loss: str = setting(
        "image",
        "Square error to the target: image (of the pixels, as in the original) or spectrum (of the "
        "frequencies measured in the target; the same on average, with less noise).",
    )
    channels: int = setting(1, "Channels of the slices: 1 (grey).")
    batch_size: int = setting(16, "Slices in a step.", positive=True)
    crop_size: int = setting(255, "Side of a slice, pixels; an odd number.")
    learning_rate: float | None = setting(
        1e-3, "Learning rate between its two ramps.", float, positive=True
    )
    train_set: str = setting(
        "phantoms",
        "Training slices: phantoms (synthetic), a folder, a glob, or an .h5 file that `noise2x "
        "pack mri` wrote.",
    )

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("noisy", "clean"))
        expect("loss", self.loss, ("image", "spectrum"))
        if self.crop_size % 2 == 0:
            raise ValueError(f"crop_size={self.crop_size}: expected an odd number.")

    @property
    def side_multiple(self):
        """What the sides of a slice must be a multiple of: 1, as the network's input is padded."""
        return 1

    def label(self):
        """A short name of the training: spectrum2.5-n2n."""
        return f"{self.noise}-{'n2n' if self.targets == 'noisy' else 'n2c'}"

    def completed(self):
        """The configuration without any None; its length is that of the paper."""
        # 300 epochs of about 5,000 slices. The validation uses the same set: of phantoms it takes
        # others that are held back, of the user's own slices the same ones.
        return super().completed(num_images=1_500_000, validation_set=self.train_set)


DEFAULT = "mri-n2n"
NAMED = {"mri-n2n": Config(), "mri-n2c": Config(targets="clean")}

# For the phantoms: a few minutes on two CPU cores.
SHORT = {
    "num_images": 3000,
    "loss": "spectrum",
    "batch_size": 4,
    "crop_size": 127,
    "precision": processor.fast_precision(),
}
