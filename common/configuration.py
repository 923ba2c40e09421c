"""What a training depends on: the settings that all methods share, and how a method adds its own.

Every field is a flag of `train` too; its help text stands beside it.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Container, Iterable, Mapping

from common import noise as noises
from common.crop_stages import CropStage, divided

# Longer trainings of schedule=fast have a lower rate, by the root of their length: at the full one
# they diverge sooner or later (docs/performance.md).
FAST_STEPS = 8000

# Side of the largest crops that schedule=fast grows to, pixels.
FAST_LARGEST_CROP = 256

AnyConfig = typing.TypeVar("AnyConfig", bound="Config")


def setting(
    default: typing.Any, help: str, type: type | None = None, *, positive: bool = False
) -> typing.Any:
    """A dataclass field with its help text.

    Args:
        default: its default value; None where the others decide, see `Config.completed`.
        help: a sentence for `--help`, with the unit.
        type: of the values, where the default doesn't show it.
        positive: values must be more than 0.
    """
    metadata = {"help": help, "positive": positive, "type": type or default.__class__}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of every training; a method adds its own. Written to the run folder.

    A field that is None stands for "as the paper, given the others": `completed` fills it.
    Noises may be given as noise strings: Config(noise="gauss25") holds a `noise.Gauss`.

    Raises:
        ValueError: settings of the wrong type or range, or that contradict each other.
    """

    # Models of noise that the method can be trained on, and numbers of channels.
    NOISES: typing.ClassVar[tuple[type[noises.Noise], ...]] = tuple(
        model for model in noises.MODELS if model is not noises.NoNoise
    )
    CHANNELS: typing.ClassVar[Container[int] | Iterable[int]] = (1, 3)

    # Top of the learning rate of schedule=fast, in a training of FAST_STEPS or fewer; None: the
    # method has only the paper's schedule.
    FAST_RATE: typing.ClassVar[float | None] = None
    # The optimiser of schedule=fast by default, and those that can be asked for.
    FAST_OPTIMIZER: typing.ClassVar[str] = "adam"
    OPTIMIZERS: typing.ClassVar[tuple[str, ...]] = ("adam", "muon")

    # Values of crop_growth that the method's batches can do, and that of schedule=fast.
    CROP_GROWTHS: typing.ClassVar[tuple[int, ...]] = (1,)
    FAST_CROP_GROWTH: typing.ClassVar[int] = 1
    # Whether the setting `augment` has a meaning.
    AUGMENTS: typing.ClassVar[bool] = False
    # Settings that a resumed training may have otherwise than it was started with.
    RESUMES_WITH: typing.ClassVar[tuple[str, ...]] = ()

    # Settings that name noisy files of the user's own, in place of `train_set`.
    OWN_FILES: typing.ClassVar[tuple[str, ...]] = ()

    noise: noises.Noise | None = setting(
        "gauss25",
        "Noise to add: gauss25, gauss5_50, poisson30, impulse50, ..., or none.",
        noises.Noise,
    )
    channels: int = setting(3, "Channels of the images: 1 (grey) or 3 (colour).")
    num_images: int | None = setting(None, "Length of the training, in crops shown.", int)
    batch_size: int = setting(4, "Crops in a step.", positive=True)
    crop_size: int = setting(256, "Side of a training crop, pixels; a multiple of 32.")
    crop_growth: int | None = setting(
        None,
        "By how much the crops have grown at the end of a training of Noise2Noise, SSDN or "
        "super-resolution: 1, 2 or 4 times; a step then takes 4 or 16 times the memory. At least "
        "half of the pixels come from crops of crop_size. A network that has seen small crops "
        "alone restores large pictures worse than small ones. By default 1; with schedule=fast, of "
        "SSDN, of super-resolution and of Noise2Noise for a range of noise, up to 4, as long as "
        "crops stay within 256 pixels.",
        int,
    )
    schedule: str | None = setting(
        None,
        "Schedule of the training: paper (that of the publication) or fast (a learning rate that "
        "rises briefly and then falls all the time, and averaged weights as the result). By "
        "default the paper's; for noisy files of your own and the images of the project fast, "
        "where the method has it (but volumes, structN2V, and SSDN with noise_params=per_image).",
        str,
    )
    optimizer: str | None = setting(
        None,
        "Optimiser of schedule=fast: adam, or muon, whose steps of large kernels are orthogonal "
        "matrices. By default muon for Noise2Noise and SSDN, where it was measured to pay.",
        str,
    )
    learning_rate: float | None = setting(
        None, "Learning rate at the top of its schedule.", float, positive=True
    )
    edges: bool | None = setting(
        None,
        "Hide a strip of 1 to 31 pixels on the right, and at the bottom, of half of the crops, as "
        "if the picture ended there. There blind-spot networks are padded with zeros, and learn "
        "so what these mean. By default with schedule=fast, for the blind-spot networks of SSDN.",
        bool,
    )
    augment: bool = setting(False, "Turn and mirror the crops at random, in 8 ways.")
    grey: str = setting(
        "mean",
        "With channels=1: how colour images become grey, by the mean of their channels or by the "
        "luminance (0.299, 0.587, 0.114).",
    )
    precision: str = setting("float32", "Arithmetic of the training: float32 or bfloat16.")
    keep: str = setting(
        "last",
        "Weights that the run folder ends with: last, or best, those of the validation with the "
        "highest PSNR, or the lowest loss where there are no clean images (--eval_every).",
    )
    seed: int = setting(0, "Seed of the initial weights, the crops and the noise.")
    white_level: float = setting(
        0.0, "Stored value that stands for 1; 0: the largest value of the file's type."
    )
    model: str = setting(
        "",
        "Run folder, or name of a shipped model (noise2x models), whose weights the training "
        "begins with; it has the same network. Without it they are random.",
    )
    train_set: str = setting(
        "sample", "Training images: sample, a named set, a folder, a glob, an .h5 or .tfrecords."
    )
    validation_set: str | None = setting(None, "Validation images, named likewise.", str)
    std_scale: float = setting(
        1.0,
        "Factor of the standard deviation that the finished model predicts; shipped models have "
        "that by which the errors on a few photographs were larger.",
        positive=True,
    )
    validate_on: str = setting(
        "few",
        "What a training is validated on: few (the middle of the first four validation images) or "
        "all (all of them, whole; slow).",
    )
    validation_noise: noises.Noise | None = setting(
        None, "Noise of the validation and of `evaluate`.", noises.Noise
    )

    def __post_init__(self) -> None:
        self._parse_noises()
        check_values(self)
        expect("channels", self.channels, self.CHANNELS)
        expect("precision", self.precision, ("float32", "bfloat16"))
        expect("validate_on", self.validate_on, ("few", "all"))
        expect("keep", self.keep, ("last", "best"))
        expect("grey", self.grey, ("mean", "luminance"))
        if self.augment and not self.AUGMENTS:
            raise ValueError("augment: this method does not turn its crops.")
        expect("schedule", self.schedule, (None, "paper", "fast"))
        if self.crop_growth is not None:
            expect("crop_growth", self.crop_growth, self.CROP_GROWTHS)
            if self.crop_growth > 1 and self.schedule == "paper":
                raise ValueError(
                    f"crop_growth={self.crop_growth}: the paper's schedule has crops of one size; "
                    "set schedule='fast'."
                )
        if self.edges and not self.pads_with_zeros:
            raise ValueError("edges: are for SSDN's blind-spot networks, which see zeros there.")
        if self.schedule == "fast" and self.FAST_RATE is None:
            raise ValueError("schedule='fast': this method has only the paper's schedule.")
        expect("optimizer", self.optimizer, (None, *self.OPTIMIZERS))
        if self.optimizer == "muon" and self.schedule == "paper":
            raise ValueError("optimizer='muon': it is for schedule='fast'; set that.")
        for name in ("noise", "validation_noise"):
            if getattr(self, name) is not None:
                self.check_noise(name, getattr(self, name))
        if (
            self.validation_noise is not None
            and self.validation_noise.is_none
            and self.noise is not None
            and not self.noise.is_none
        ):
            raise ValueError(
                "validation_noise='none': noise is added in training, so the validation needs "
                "noise too."
            )
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

    def _parse_noises(self) -> None:
        """Turns noise strings, from flags and files, into noises: once, here."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.metadata.get("type") is noises.Noise and isinstance(value, str):
                object.__setattr__(self, field.name, self.parse_noise(value, name=field.name))

    @classmethod
    def parse_noise(cls, text: str, *, name: str = "noise") -> noises.Noise:
        """A noise string as a noise that this method can be trained on.

        Raises:
            ValueError: another one.
        """
        return noises.parse(text, cls.NOISES, name=name)

    def check_noise(self, name: str, noise: noises.Noise) -> None:
        """Raises ValueError if the method can't be trained on a noise, or scored under it."""
        if not isinstance(noise, self.NOISES):
            raise ValueError(f"{name}='{noise}': expected {noises.expected(self.NOISES)}.")

    def to_dict(self) -> dict[str, typing.Any]:
        """The settings as JSON holds them: noises as noise strings."""
        return {
            field.name: str(value) if isinstance(value, noises.Noise) else value
            for field in dataclasses.fields(self)
            for value in [getattr(self, field.name)]
        }

    @property
    def dtype_policy(self) -> str:
        """Keras' name for the precision; weights are float32 in any case."""
        return "mixed_bfloat16" if self.precision == "bfloat16" else "float32"

    @property
    def side_multiple(self) -> int:
        """What the sides of a crop must be a multiple of: the U-Net halves them five times."""
        return 32

    @property
    def pads_with_zeros(self) -> bool:
        """Whether images whose sides are no such multiples get zeros on the right and below."""
        return False

    @property
    def crop_shape(self) -> tuple[int, ...]:
        """Sides of a training crop, pixels."""
        return (self.crop_size, self.crop_size)

    def crop_stages(self) -> list[CropStage]:
        """The stages of the training, each with crops of one size; one, if they do not grow."""
        steps = -(-(self.num_images or 1) // self.batch_size)
        return divided(steps, self.crop_growth or 1)

    def crop_stage(self, step: int) -> CropStage:
        """The stage of a step; that of the last one for those after the end."""
        stages = self.crop_stages()
        return next((stage for stage in stages if step < stage.end), stages[-1])

    def share_corners(self) -> list[tuple[int, float]]:
        """How much of the training, in pixels shown, is over: corners (step, share) of a line."""
        return [(0, 0.0), *((stage.end, stage.share) for stage in self.crop_stages())]

    @property
    def last_step(self) -> int:
        """The number of optimiser steps; the original's last, at rate 0, changes no weight."""
        assert self.num_images is not None
        return -(-self.num_images // self.batch_size)

    @property
    def file_axes(self) -> str | None:
        """Letters for the axes of the training's files, see `stacks`; None: as the files say."""
        return None

    @property
    def keeps_counts(self) -> bool:
        """Whether values stay as the user's files have them, instead of being scaled to [0, 1]."""
        return False

    @property
    def takes_level(self) -> bool:
        """Whether the model must be given the level of the noise."""
        return False

    @property
    def finds_level(self) -> bool:
        """Whether the model can find the level of an image that nobody told, as `find_level`."""
        return False

    @property
    def predicts_std(self) -> bool:
        """Whether the model's result has `std`, the predicted standard deviation."""
        return False

    @property
    def estimates_once(self) -> bool:
        """Whether the level of the noise was estimated in the training, for all files alike."""
        return False

    @property
    def noise_model(self) -> str:
        """gauss, poisson, ...; images that are noisy already are taken for Gaussian."""
        assert self.noise is not None
        return "gauss" if self.noise.is_none else self.noise.NAME

    def label(self) -> str:
        """What sets this training apart, in a word or two, for the names of run folders."""
        return f"{self.noise}" + ("-mono" if self.channels == 1 else "")

    def own_schedule(self) -> str:
        """The schedule where no paper says what to do: fast, if the method has it."""
        return "fast" if self.FAST_RATE else "paper"

    def _fast_growth(self) -> int:
        """The growth of schedule=fast: not beyond crops of FAST_LARGEST_CROP pixels."""
        fitting = [g for g in self.CROP_GROWTHS if g * self.crop_size <= FAST_LARGEST_CROP]
        return min(self.FAST_CROP_GROWTH, max(fitting, default=1))

    def implied(self, settings: Mapping[str, typing.Any]) -> dict[str, typing.Any]:
        """Settings that follow from those a user gave, unless the user gave them too."""
        return {}

    def completed(self: AnyConfig, **settings: typing.Any) -> AnyConfig:
        """The configuration without any None.

        What it filled in stays, so change settings before, not after: the rate of schedule=fast
        depends on the length.

        Args:
            settings: what to fill in; by default what holds for all methods.
        """
        # Photographs from scikit-image say nothing about the noise or camera of the user's files.
        own = (self.noise is not None and self.noise.is_none) or self.white_level
        # No paper says how long, or how fast, to train on those.
        schedule = self.schedule or (self.own_schedule() if own else "paper")
        defaults: dict[str, typing.Any] = {
            "schedule": schedule,
            "learning_rate": 3e-4,
            "optimizer": self.FAST_OPTIMIZER if schedule == "fast" else "adam",
            "crop_growth": self._fast_growth() if schedule == "fast" else 1,
            "edges": schedule == "fast" and self.pads_with_zeros,
            "validation_set": self.train_set if own else "sample",
            "validation_noise": self.noise,
        }
        settings = defaults | settings
        if schedule == "fast":
            assert self.FAST_RATE is not None
            steps = (self.num_images or settings["num_images"]) / self.batch_size
            rate = self.FAST_RATE * min(1.0, (FAST_STEPS / steps) ** 0.5)
            settings["learning_rate"] = float(f"{rate:.2g}")
        missing = {name: value for name, value in settings.items() if getattr(self, name) is None}
        return dataclasses.replace(self, **missing)


def same_settings(a: Config, b: Config) -> bool:
    """Whether two configurations of one method are equal but for what a resumed run may change."""
    ours, theirs = a.to_dict(), b.to_dict()
    return all(ours[name] == theirs[name] for name in ours if name not in a.RESUMES_WITH)


def expect(name: str, value: object, allowed: typing.Any) -> None:
    """Raises ValueError unless the value is one of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: expected {', '.join(map(str, allowed))}.")


def check_values(config: Config) -> None:
    """Refuses values of the wrong type and numbers that are not finite.

    Raises:
        ValueError: names the field; configurations also come from files.
    """
    for field in dataclasses.fields(config):
        value, wanted = getattr(config, field.name), field.metadata["type"]
        if value is None and field.default is None:
            continue
        accepted = (int, float) if wanted is float else wanted
        if not isinstance(value, accepted) or (isinstance(value, bool) and wanted is not bool):
            raise ValueError(f"{field.name}={value!r}: expected {wanted.__name__}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{field.name}={value!r}: expected a finite number.")
