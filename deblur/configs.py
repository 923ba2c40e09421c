"""What a training of deblurring depends on, and the settings that have a name."""

import dataclasses
import pathlib
import typing

from common import configuration
from common import noise as noises
from common.configuration import expect, fast_precision, setting
from deblur import kernels

LOGARITHMIC = ("log", "log_nodc")
FORMULATIONS = (*LOGARITHMIC, "multiplicative", "convolve")

# Kernels of the training and of the validation. The report gives those of logarithms; of
# multiplicative noise these are Noise2Noise's 0 to 50 and 25, of 255.
BLURS = {
    "log": ("lognormal0_1", "lognormal0.5"),
    "log_nodc": ("lognormal0_1", "lognormal0.5"),
    "multiplicative": ("dirac0_0.2", "dirac0.1"),
    "convolve": ("dirac1", "dirac1"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(configuration.Config):
    """Defaults follow Cadiou & Dervishi, section 4.2. Written to the run folder as config.json."""

    # Poisson noise would cut off what kernels push below 0, and its mean be another image.
    NOISES: typing.ClassVar[tuple] = (noises.Gauss,)

    formulation: str = setting(
        "convolve",
        "log: logarithms of spectra, transformed back; log_nodc: the same without their mean; "
        "multiplicative: spectra times complex noise; convolve: images blurred by two kernels.",
    )
    blur: str | None = setting(
        None,
        "Law of the kernels: dirac1 (a Dirac plus normal entries, fine frequencies deviating "
        "from 1 by so much), lognormal0_1 (sigma of the spectrum's logarithm), or of cameras, "
        "motion3_15 (pixels long) and disc1_3 (radius).",
        str,
    )
    validation_blur: str | None = setting(
        None, "Kernels of the validation and of `evaluate`, or a file with one.", str
    )
    kernel_size: int | None = setting(
        None, "Side of the kernels of random entries, odd; 0: as large as the image.", int
    )
    unit_sum: bool | None = setting(
        None, "Kernels sum to 1, as those of real blur; if not, brightness is random.", bool
    )
    targets: str = setting("blurred", "blurred: by another kernel; clean: the crop itself.")
    noise: noises.Noise | None = setting(
        "gauss0", "Noise on top of the blur, as gauss2, gauss0_5.", noises.Noise
    )
    channels: int = setting(1, "1 (grey) or 3 (colour).")
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    learning_rate: float | None = setting(
        3e-4, "Learning rate before its ramp down.", float, positive=True
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
                "spectrum is not 0 on average, at some frequencies it is minus infinity."
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
        return self.formulation in LOGARITHMIC

    def label(self):
        parts = [self.formulation, str(self.blur)]
        parts += ["clean"] if self.targets == "clean" else []
        return "-".join(parts + (["mono"] if self.channels == 1 else []))

    def completed(self):
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
            # As the report has it, but for Convolve2Convolve, which then learns far less.
            unit_sum=self.formulation == "convolve",
        )


DEFAULT = "convolve"
NAMED = {
    "convolve": Config(),
    "convolve-clean": Config(targets="clean"),
    "convolve-random_sum": Config(unit_sum=False),  # as the report has it
    "convolve-motion": Config(blur="motion3_15", validation_blur="motion9"),
    "convolve-disc": Config(blur="disc1_4", validation_blur="disc2.5"),
    "multiplicative": Config(formulation="multiplicative"),
    "log_nodc": Config(formulation="log_nodc"),
    "log_nodc-sigma50": Config(formulation="log_nodc", blur="lognormal0_50"),
    "log": Config(formulation="log"),
    "log-sigma50": Config(formulation="log", blur="lognormal0_50"),
}

# For the sample photographs: minutes on two CPU cores.
SHORT = {
    "num_images": 8000,
    "batch_size": 4,
    "crop_size": 64,
    "precision": fast_precision(),
}
