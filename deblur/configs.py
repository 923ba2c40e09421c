"""The settings of a deblurring training, and the named configurations."""

import dataclasses
import pathlib
import typing

from common import configuration, processor
from common import noise as noises
from common.configuration import expect, setting
from deblur import kernels

LOGARITHMIC = ("log", "log_nodc")
FORMULATIONS = (*LOGARITHMIC, "multiplicative", "convolve")

# Formulation -> kernels of the training, kernels of the validation. Those of the logarithms are the
# report's. Those of multiplicative correspond to Noise2Noise's levels, 0 to 50 and 25, of 255.
BLURS = {
    "log": ("lognormal0_1", "lognormal0.5"),
    "log_nodc": ("lognormal0_1", "lognormal0.5"),
    "multiplicative": ("dirac0_0.2", "dirac0.1"),
    "convolve": ("dirac1", "dirac1"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Settings of a deblurring training; the defaults follow Cadiou & Dervishi, section 4.2.

    The run folder holds them as config.json.
    """

    # Kernels make values below 0. Poisson noise would cut them off, so that its mean would not be
    # the blurred image.
    NOISES: typing.ClassVar[tuple] = (noises.Gauss,)

    formulation: str = setting(
        "convolve",
        "What the network learns from: convolve (images blurred by two kernels), multiplicative "
        "(images whose spectra are multiplied by complex noise), log (cepstra of blurred images, "
        "the logarithms of their spectra transformed back) or log_nodc (cepstra without their "
        "mean).",
    )
    blur: str | None = setting(
        None,
        "Random kernels of the training, with a strength or a range: dirac1 or dirac0_1 (a Dirac "
        "plus normal entries; the standard deviation of the spectrum around 1), lognormal0_1 "
        "(the standard deviation of the spectrum's logarithm), motion3_15 (straight camera motion; "
        "its length in pixels) or disc1_3 (a lens out of focus; its radius in pixels).",
        str,
    )
    validation_blur: str | None = setting(
        None,
        "Kernels of the validation and of `evaluate`: as blur, or a file with one kernel.",
        str,
    )
    kernel_size: int | None = setting(
        None,
        "Side of dirac and lognormal kernels, pixels, an odd number; 0: as large as the image.",
        int,
    )
    unit_sum: bool | None = setting(
        None,
        "Make dirac and lognormal kernels sum to 1, as real blur does; otherwise the brightness "
        "changes at random.",
        bool,
    )
    targets: str = setting(
        "blurred",
        "Targets of the training: blurred (the crop, with another kernel) or clean (the crop).",
    )
    noise: noises.Noise | None = setting(
        "gauss0",
        "Noise to add after the blur, for instance gauss0 (none), gauss2 or gauss0_5.",
        noises.Noise,
    )
    channels: int = setting(1, "Channels of the images: 1 (grey) or 3 (colour).")
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    learning_rate: float | None = setting(
        3e-4, "Learning rate before it is ramped down.", float, positive=True
    )
    crop_size: int = setting(128, "Side of a training crop, pixels; a multiple of 32.")

    def __post_init__(self):
        super().__post_init__()
        expect("formulation", self.formulation, FORMULATIONS)
        expect("targets", self.targets, ("blurred", "clean"))
        blur = None if self.blur is None else kernels.parse(self.blur)
        if self.validation_blur is not None and not kernels.is_file(self.validation_blur):
            kernels.parse(self.validation_blur)
        is_camera = blur is not None and blur.model in kernels.CAMERA
        if self.is_logarithmic and is_camera:
            raise ValueError(
                f"blur={self.blur!r} with formulation={self.formulation!r}: the logarithm of its "
                "spectrum is not 0 on average; at some frequencies it is minus infinity."
            )
        if self.kernel_size is not None:
            if self.kernel_size < 0 or (self.kernel_size and self.kernel_size % 2 == 0):
                raise ValueError(f"kernel_size={self.kernel_size}: expected an odd number, or 0.")
            if self.kernel_size > self.crop_size:
                raise ValueError(
                    f"kernel_size={self.kernel_size}: larger than the crop of {self.crop_size}."
                )
        if is_camera and (side := kernels.largest_side(blur)) > self.crop_size:
            raise ValueError(
                f"blur={self.blur!r}: kernels of up to {side} pixels, larger than the crop of "
                f"{self.crop_size}; give a larger crop_size."
            )
        if self.kernel_size == 1 and self.unit_sum and not is_camera:
            raise ValueError("kernel_size=1 with unit_sum: such a kernel changes nothing.")

    @property
    def is_logarithmic(self):
        """Whether the network restores cepstra and not images."""
        return self.formulation in LOGARITHMIC

    def label(self):
        """A short name of the training: convolve-dirac1, log-lognormal0_1-mono."""
        parts = [self.formulation, str(self.blur)]
        parts += ["clean"] if self.targets == "clean" else []
        parts += [] if self.unit_sum else ["random_sum"]
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
        """The configuration without any None: the kernels of its formulation."""
        blur, validation_blur = BLURS[self.formulation]
        config = self
        if self.validation_blur is not None and kernels.is_file(self.validation_blur):
            path = str(pathlib.Path(self.validation_blur).expanduser().resolve())
            config = dataclasses.replace(self, validation_blur=path)
        return super(Config, config).completed(
            num_images=80_000,
            blur=blur,
            validation_blur=validation_blur,
            kernel_size=0 if self.formulation == "multiplicative" else 5,
            # False in the report; convolve, which would learn far less with False, has True here.
            unit_sum=self.formulation == "convolve",
        )


DEFAULT = "convolve"
SIGMA50: dict[str, typing.Any] = {"blur": "lognormal0_50", "validation_blur": "lognormal25"}
NAMED = {
    "convolve": Config(),
    "convolve-clean": Config(targets="clean"),
    "convolve-random_sum": Config(unit_sum=False),  # as in the report
    "convolve-motion": Config(blur="motion3_15", validation_blur="motion9"),
    "convolve-disc": Config(blur="disc1_4", validation_blur="disc2.5"),
    "multiplicative": Config(formulation="multiplicative"),
    "log_nodc": Config(formulation="log_nodc"),
    "log_nodc-sigma50": Config(formulation="log_nodc", **SIGMA50),
    # The report trains it for 100,000 steps of 4 crops, the others for 20,000.
    "log": Config(formulation="log", num_images=400_000),
    "log-sigma50": Config(formulation="log", num_images=400_000, **SIGMA50),
}

# For the sample photographs: a few minutes on two CPU cores.
SHORT = {
    "num_images": 8000,
    "batch_size": 4,
    "crop_size": 64,
    "precision": processor.fast_precision(),
}
