"""Fields of a method's configuration that double as flags, and those that all methods share."""

import dataclasses
import math
import pathlib
import re
import typing

from common import noise_levels


def setting(default, help, type=None, *, positive=False):
    """A dataclass field with its help text; `type` where the default doesn't tell it.

    positive: values must be more than 0.
    """
    metadata = {"help": help, "positive": positive} | ({"type": type} if type else {})
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What every training depends on; a method adds its own. Goes into the run folder.

    A field that is None stands for "as the paper, given the others": `completed` fills it.
    """

    # Of `noise_levels`, those that a method can be trained on.
    NOISES: typing.ClassVar[tuple] = ("gauss", "poisson", "impulse", "bernoulli", "text")
    CHANNELS: typing.ClassVar[tuple] = (1, 3)

    noise: str | None = setting(
        "gauss25", "Noise to add, as gauss25, gauss5_50, poisson30, impulse50; or none.", str
    )
    channels: int = setting(3, "1 (grey) or 3 (colour).")
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    batch_size: int = setting(4, "Crops a step.", positive=True)
    crop_size: int = setting(256, "Side of a training crop, pixels; a multiple of 32.")
    learning_rate: float | None = setting(3e-4, "At the top of its schedule.", float, positive=True)
    precision: str = setting("float32", "Arithmetic of the training: float32 or bfloat16.")
    seed: int = setting(0, "Of initial weights, crops and noise.")
    white_level: float = setting(0.0, "Stored value that stands for 1; 0: the file type's largest.")
    train_set: str = setting(
        "sample", "Training images: sample, a named set, folder, glob, .h5, .tfrecords."
    )
    validation_set: str | None = setting(None, "Validation images, likewise.", str)
    validation_noise: str | None = setting(None, "Noise of the validation and of `evaluate`.", str)

    def __post_init__(self):
        check_values(self)
        expect("channels", self.channels, self.CHANNELS)
        expect("precision", self.precision, ("float32", "bfloat16"))
        for name in ("noise", "validation_noise"):
            if getattr(self, name) is not None:
                self.check_noise(name, getattr(self, name))
        if self.validation_noise == "none" and self.noise not in ("none", None):
            raise ValueError("validation_noise='none': what noise is added to could not be scored.")
        if self.crop_size < self.side_multiple or self.crop_size % self.side_multiple:
            raise ValueError(
                f"crop_size={self.crop_size}: expected a multiple of {self.side_multiple} "
                "(the network halves it)."
            )
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.metadata.get("positive") and value is not None and value <= 0:
                raise ValueError(f"{field.name}={value}: expected more than 0.")
        if self.num_images is not None and self.num_images < self.batch_size:
            raise ValueError(f"num_images={self.num_images}: expected at least one batch.")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed={self.seed}: expected 0 to 2147483647.")
        if self.white_level < 0:
            raise ValueError(f"white_level={self.white_level}: expected 0 or more.")

    def check_noise(self, name, noise):
        """Raises ValueError if the method can't be trained on a noise, or scored under it."""
        if noise_levels.parse(noise).model not in self.NOISES:
            raise ValueError(
                f"{name}={noise!r}: expected {', '.join(self.NOISES)}; all but none with a level."
            )

    @property
    def dtype_policy(self):
        """Keras' name for the precision, weights being float32 in any case."""
        return "mixed_bfloat16" if self.precision == "bfloat16" else "float32"

    @property
    def side_multiple(self):
        """Of what a crop's side must be a multiple: the U-Net halves it five times."""
        return 32

    @property
    def crop_shape(self):
        """Sides of a training crop, pixels."""
        return (self.crop_size, self.crop_size)

    @property
    def file_axes(self):
        """Letters for the axes of the training's files, see `stacks`; None: as the files say."""
        return None

    @property
    def knows_files_alone(self):
        """Whether the training has seen files that are noisy already, on their own scale."""
        return False

    @property
    def takes_level(self):
        """Whether the model must be told the level of the noise."""
        return False

    @property
    def noise_model(self):
        """gauss, poisson, ...; really noisy images are taken for Gaussian."""
        model = noise_levels.parse(self.noise).model
        return "gauss" if model == "none" else model

    def completed(self, **settings):
        """With every None filled in: by `settings`, or by what holds for all methods."""
        # Photographs from scikit-image say nothing about somebody's own noise or camera.
        own = self.noise == "none" or self.white_level
        settings = {
            "validation_set": self.train_set if own else "sample",
            "validation_noise": self.noise,
        } | settings
        missing = {name: value for name, value in settings.items() if getattr(self, name) is None}
        return dataclasses.replace(self, **missing)


def expect(name, value, allowed):
    """Raises ValueError unless the value is one of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: expected {', '.join(map(str, allowed))}.")


def check_values(config):
    """Refuses values of the wrong type and numbers that are not finite.

    Raises:
        ValueError: names the field; configurations also come from files.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        expected = field.metadata.get("type", type(field.default))
        if value is None and field.default is None:
            continue
        accepted = (int, float) if expected is float else expected
        if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
            raise ValueError(f"{field.name}={value!r}: expected {expected.__name__}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{field.name}={value!r}: expected a finite number.")


def fast_precision():
    """bfloat16 where the processor multiplies it in hardware, twice as fast; float32 elsewhere."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    known = cpuinfo.read_text() if cpuinfo.is_file() else ""
    return "bfloat16" if re.search(r"\b(avx512_bf16|amx_bf16)\b", known) else "float32"
