"""No noise to add: the images are noisy already. String: "none"."""

import dataclasses
import typing

from common.noise import base


@dataclasses.dataclass(frozen=True)
class NoNoise(base.Noise):
    """Leaves images as they are."""

    NAME: typing.ClassVar[str] = "none"

    def __str__(self):
        return self.NAME

    @property
    def is_none(self):
        return True

    def add(self, clean, level, seed):
        return clean
