"""Models of noise: a file each, with its string, its unit, how it corrupts and how strong it is.

`parse("gauss25")` makes one from a noise string. A new one is a subclass of `Noise`, added to
`MODELS`; docs/adding_a_method.md shows how.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from common.noise.base import Noise
from common.noise.bernoulli import Bernoulli
from common.noise.camera import Camera
from common.noise.gauss import Gauss
from common.noise.impulse import Impulse
from common.noise.multi_gauss import MultiGauss
from common.noise.none import NoNoise
from common.noise.poisson import Poisson
from common.noise.poisson_gauss import PoissonGauss
from common.noise.text import Text

__all__ = [
    "MODELS",
    "Bernoulli",
    "Camera",
    "Gauss",
    "Impulse",
    "MultiGauss",
    "NoNoise",
    "Noise",
    "Poisson",
    "PoissonGauss",
    "Text",
    "parse",
]

MODELS: tuple[type[Noise], ...] = (
    NoNoise,
    Gauss,
    Poisson,
    PoissonGauss,
    MultiGauss,
    Camera,
    Impulse,
    Bernoulli,
    Text,
)


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
    levels = rf"{number}(?:_{number})?(?:\+{number})?"
    match = re.fullmatch(rf"([a-z]+){levels}(?:_step{number})?(_clipped)?", text)
    model = by_name.get(match[1]) if match else None
    if not match or model in (None, NoNoise) or (match[4] and not model.HAS_READ):
        raise ValueError(f"{name}={text!r}: expected {expected(by_name.values())}.")
    low = float(match[2])
    high, step = float(match[3] or low), float(match[5] or 0.0)
    read = {"read": float(match[4])} if match[4] else {}
    return model(low, high, step, match[6] is not None, **read)


def expected(models: Iterable[type[Noise]]) -> str:
    """The noise strings of some models, in words, for messages and help texts."""
    names = [model.NAME for model in models]
    with_level = [name for name in names if name != NoNoise.NAME]
    examples = {
        "gauss": "gauss25, gauss5_50",
        "poisson": "poisson30",
        "poissongauss": "poissongauss30+5",
        "impulse": "impulse50",
    }
    shown = ", ".join(examples[name] for name in with_level if name in examples)
    return (
        f"{', '.join(with_level)} with a level or a range"
        + (f", for instance {shown}" if shown else "")
        + (", or none" if NoNoise.NAME in names else "")
    )
