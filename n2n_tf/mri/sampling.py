"""The noise of spectra: frequencies that were not measured. String: "spectrum2.5"."""

import dataclasses
import typing

from common.noise import Noise


@dataclasses.dataclass(frozen=True)
class Spectrum(Noise):
    """Frequencies are left out at random; a share of them is kept at the edge of the spectrum.

    It needs a whole slice and gives two arrays: `spectrum.corrupt` and `data.example_inputs` make
    it, not `add`.
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
        """What is missing of a spectrum has no level of its own: a rough 0.1."""
        return 0.1
