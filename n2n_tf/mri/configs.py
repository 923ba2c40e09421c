"""What a training on spectra depends on, and the settings that have a name."""

import dataclasses
import typing

from common import configuration
from common import noise as noises
from common.configuration import expect, fast_precision, setting
from n2n_tf.mri import sampling


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Defaults are those of Lehtinen et al. 2018. Written to the run folder as config.json."""

    NOISES: typing.ClassVar[tuple] = (sampling.Spectrum,)
    CHANNELS: typing.ClassVar[tuple] = (1,)

    noise: noises.Noise | None = setting(
        "spectrum2.5",
        "spectrumP, P per cent of the frequencies at the edge of the spectrum being kept.",
        noises.Noise,
    )
    targets: str = setting("noisy", "noisy: another sampling of the slice; clean: the slice.")
    loss: str = setting(
        "image",
        "image: square to the target image, as the original; spectrum: to the frequencies "
        "measured in the target, the same on average with less noise.",
    )
    channels: int = setting(1, "1, grey.")
    batch_size: int = setting(16, "Slices a step.", positive=True)
    crop_size: int = setting(255, "Side of a slice, pixels; odd.")
    learning_rate: float | None = setting(
        1e-3, "Learning rate between its ramps.", float, positive=True
    )
    train_set: str = setting(
        "phantoms", "Slices: phantoms (made up), a folder, glob, or .h5 of make_mri_dataset."
    )

    def __post_init__(self):
        super().__post_init__()
        expect("targets", self.targets, ("noisy", "clean"))
        expect("loss", self.loss, ("image", "spectrum"))
        if self.crop_size % 2 == 0:
            raise ValueError(f"crop_size={self.crop_size}: expected an odd number.")

    @property
    def side_multiple(self):
        return 1  # odd ones are padded

    def label(self):
        return f"{self.noise}-{'n2n' if self.targets == 'noisy' else 'n2c'}"

    def completed(self):
        # 300 epochs of about 5,000 slices. Phantoms have others held back, a set of one's own not.
        return super().completed(num_images=1_500_000, validation_set=self.train_set)


DEFAULT = "mri-n2n"
NAMED = {"mri-n2n": Config(), "mri-n2c": Config(targets="clean")}

# For the phantoms: a few minutes on two CPU cores.
SHORT = {
    "num_images": 3000,
    "loss": "spectrum",
    "batch_size": 4,
    "crop_size": 127,
    "precision": fast_precision(),
}
