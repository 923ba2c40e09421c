"""What a model of noise is: one class to subclass, with everything that the project asks of it."""

from __future__ import annotations

import dataclasses
import typing

import numpy as np

if typing.TYPE_CHECKING:
    import tensorflow as tf


def digits(number: float) -> str:
    """Digits that give the same number back, without an exponent: `parse` must read them."""
    return np.format_float_positional(number, trim="-")


@dataclasses.dataclass(frozen=True)
class Noise:
    """A model of noise and the range of its strength, drawn between `low` and `high` per image.

    Subclasses set the class variables and override `add`, and what else differs. Importing one
    loads no TensorFlow; its methods do.

    Attributes:
        low, high: strength in the units of the noise string (`UNIT`).
        step: of a range: the strength is low, low + step, ... or high; 0 for any between them.
        clipped: whether noisy values are clipped to [0, 1].

    Raises:
        ValueError: a range that makes no sense; the message begins with the noise string.
    """

    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    clipped: bool = False

    NAME: typing.ClassVar[str] = ""  # how the noise string begins
    UNIT: typing.ClassVar[str] = ""  # of the numbers in the noise string
    MAX: typing.ClassVar[float] = float("inf")  # largest strength, in UNIT
    SCALE: typing.ClassVar[float] = 1.0  # strength divided by the noise parameter
    CLIPPABLE: typing.ClassVar[bool] = False  # whether noisy values can leave [0, 1]
    # What finds the clean value among many noisy ones: "mean", "median", "mode", or "kept mean",
    # the mean over the pixels that were not lost (Lehtinen et al. 2018, section 3).
    RECOVERED_BY: typing.ClassVar[str] = "mean"
    TYPICAL: typing.ClassVar[float | None] = None  # strength to validate a range at, if not itself
    HAS_READ: typing.ClassVar[bool] = False  # whether its string has a second part, +5

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(
                f"noise='{self}': the range runs downwards; write the lower level first."
            )
        if self.high > self.MAX:
            raise ValueError(f"noise='{self}': {self.UNIT}, at most {self.MAX:g}.")
        if self.step and (
            self.is_fixed or not np.isclose(self._count() * self.step, self.high - self.low)
        ):
            raise ValueError(f"noise='{self}': expected a range of a whole number of steps.")
        if self.clipped and not self.CLIPPABLE:
            raise ValueError(f"noise='{self}': its values lie within [0, 1]; leave out _clipped.")

    def __str__(self) -> str:
        """The noise string, as config.json and RESULT lines have it."""
        text = self.NAME + self._levels()
        text += f"_step{digits(self.step)}" if self.step else ""
        return text + ("_clipped" if self.clipped else "")

    def _levels(self) -> str:
        """The strength or its range, as in the noise string."""
        return digits(self.low) + ("" if self.is_fixed else f"_{digits(self.high)}")

    def at(self, strength: float) -> Noise:
        """This noise of one strength, in the units of the noise string."""
        return dataclasses.replace(self, low=strength, high=strength, step=0.0)

    def _count(self) -> int:
        """Number of steps in the range."""
        return round((self.high - self.low) / self.step)

    @property
    def is_fixed(self) -> bool:
        """Whether every image has the same strength."""
        return self.low == self.high

    @property
    def is_none(self) -> bool:
        """Whether nothing is added: the images are noisy already."""
        return False

    def typical(self) -> Noise:
        """The noise to validate with: this one, or where it is a range one of TYPICAL strength."""
        if self.is_fixed or self.TYPICAL is None:
            return self
        return self.at(self.TYPICAL)

    def level(self, strength: float) -> float:
        """The noise parameter of a strength: sigma on [0, 1], lambda, or a share."""
        return strength / self.SCALE

    def fixed_level(self) -> float:
        """The noise parameter of a fixed strength.

        Raises:
            ValueError: it is a range: the level of the image at hand must be given.
        """
        if not self.is_fixed:
            raise ValueError(
                f"noise='{self}' is a range: give the level of the image, --noise_level=..."
            )
        return self.level(self.low)

    def deviation(self, level: float) -> float:
        """Standard deviation at middle grey on [0, 1], roughly: what classical denoisers need."""
        return level

    def variance(self, clean: np.ndarray, level: float) -> np.ndarray | None:
        """The noise level function: the variance of the noise at clean values, all on [0, 1].

        None for noise that no variance describes.
        """
        return None

    def describe_estimate(self, noise_std: float) -> str:
        """An estimated deviation on [0, 1], or what stands for it, in words for the user."""
        return f"sigma: {255 * noise_std:.2f} (of 255)"

    def check(self) -> None:
        """Raises ValueError if this noise can't be made here, before anything is started."""

    def fingerprint(self) -> str:
        """A short hash of what the noise depends on besides its string; usually nothing, ""."""
        return ""

    def draw_level(self, seed: tf.Tensor) -> tf.Tensor:
        """The noise parameter of one image, a float32 scalar; seed: (2,) int32."""
        import tensorflow as tf

        low, high = self.level(self.low), self.level(self.high)
        if self.is_fixed:
            return tf.constant(low, tf.float32)
        if self.step:
            number = tf.random.stateless_uniform((), seed, 0, self._count() + 1, tf.int32)
            return low + (high - low) / self._count() * tf.cast(number, tf.float32)
        return tf.random.stateless_uniform((), seed, low, high)

    def corrupt(self, clean: tf.Tensor, level: tf.Tensor | float, seed: tf.Tensor) -> tf.Tensor:
        """Adds noise of the given level.

        Clips to [0, 1] only if the noise string says so, as some originals do: it shifts the mean
        of dark and bright pixels, and an estimator of the level learns the shift (Laine et al.
        2019; tests/golden/noise_stats.npz).

        Args:
            clean: (H, W, C) float in [0, 1].
            level: scalar, from `draw_level`.
            seed: (2,) int32, (run seed, image number). Equal pairs give equal noise, whatever the
                order, the batch size or the number of workers.

        Returns:
            (H, W, C), dtype of `clean`, beyond [0, 1] where the noise leads there.

        Raises:
            ValueError: `clean` is not floating point; uint8 would be taken for [0, 1] silently.
        """
        import tensorflow as tf

        if not clean.dtype.is_floating:
            raise ValueError(f"clean is {clean.dtype.name}: scale it to float32 in [0, 1] first.")
        noisy = self.add(clean, tf.cast(level, clean.dtype), seed)
        return tf.clip_by_value(noisy, 0.0, 1.0) if self.clipped else noisy

    def add(self, clean: tf.Tensor, level: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What `corrupt` does, with a level of the type of `clean`. Every model has its own."""
        raise TypeError(f"{type(self).__name__} defines no noise: override add.")


@dataclasses.dataclass(frozen=True)
class PerCent(Noise):
    """Noise whose strength is a percentage of the pixels; its parameter is the share."""

    MAX: typing.ClassVar[float] = 100.0
    SCALE: typing.ClassVar[float] = 100.0

    def deviation(self, level: float) -> float:
        return level / 3
