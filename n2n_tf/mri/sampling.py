"""The noise model of MRI: frequencies that were not measured. Noise string: "spectrum2.5"."""

import dataclasses
import typing

from common.noise import Noise


@dataclasses.dataclass(frozen=True)
class Spectrum(Noise):
    """Frequencies are left out at random; the level is the share that is kept at the edge.

    `spectrum.corrupt` and `data.example_inputs` apply it and not `add`, because it needs a whole
    slice and makes two arrays.
    """

    NAME: typing.ClassVar[str] = "spectrum"
    UNIT: typing.ClassVar[str] = "per cent of the frequencies kept at the edge of the spectrum"
    MAX: typing.ClassVar[float] = 100.0
    SCALE: typing.ClassVar[float] = 100.0

    def __post_init__(self):
        super().__post_init__()
        if self.low == 0:
            raise ValueError(f"noise='{self}': something must be kept; more than 0.")
        if not self.is_fixed:
            raise ValueError(f"noise='{self}': expected one level, as spectrum2.5.")

    def deviation(self, level):
        """A rough value, 0.1: the error of missing frequencies has no fixed standard deviation."""
        return 0.1
