"""Models of noise: a file each, with its string, its unit, how it corrupts and how strong it is.

`parse("gauss25")` makes one from a noise string. A new one is a subclass of `Noise`, added to
`MODELS`; docs/adding_a_method.md shows how.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from common.noise.base import Noise
from common.noise.bernoulli import Bernoulli
from common.noise.gauss import Gauss
from common.noise.impulse import Impulse
from common.noise.none import NoNoise
from common.noise.poisson import Poisson
from common.noise.text import Text

__all__ = [
    "MODELS",
    "Bernoulli",
    "Gauss",
    "Impulse",
    "NoNoise",
    "Noise",
    "Poisson",
    "Text",
    "parse",
]

MODELS: tuple[type[Noise], ...] = (NoNoise, Gauss, Poisson, Impulse, Bernoulli, Text)


def parse(text: str, models: Iterable[type[Noise]] = MODELS, *, name: str = "noise") -> Noise:
    """Reads a noise string: "none", or a model with a level or a range of levels.

    Args:
        text: "gauss25", "poisson5_50", "impulse0_100", "gauss5_50_step5_clipped", ...
        models: classes of noise that are expected.
        name: of the setting, for messages.

    Raises:
        ValueError: anything else, or a range that makes no sense.
    """
    by_name = {model.NAME: model for model in models}
    if text == NoNoise.NAME and NoNoise in by_name.values():
        return NoNoise()
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"([a-z]+){number}(?:_{number})?(?:_step{number})?(_clipped)?", text)
    if not match or match[1] not in by_name or match[1] == NoNoise.NAME:
        raise ValueError(f"{name}={text!r}: expected {expected(by_name.values())}.")
    low = float(match[2])
    high, step = float(match[3] or low), float(match[4] or 0.0)
    return by_name[match[1]](low, high, step, match[5] is not None)


def expected(models: Iterable[type[Noise]]) -> str:
    """The noise strings of some models, in words, for messages and help texts."""
    names = [model.NAME for model in models]
    with_level = [name for name in names if name != NoNoise.NAME]
    examples = {"gauss": "gauss25, gauss5_50", "poisson": "poisson30", "impulse": "impulse50"}
    shown = ", ".join(examples[name] for name in with_level if name in examples)
    return (
        f"{', '.join(with_level)} with a level or a range"
        + (f", for instance {shown}" if shown else "")
        + (", or none" if NoNoise.NAME in names else "")
    )
