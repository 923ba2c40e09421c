"""Noise strings: which model, how strong, in which units."""

import dataclasses
import re

MODELS = {
    "gauss": "sigma in 8-bit units",
    "poisson": "lambda",
    "impulse": "per cent of pixels",
    "bernoulli": "per cent of pixels lost",
    "text": "per cent of pixels covered",
    "spectrum": "per cent of the frequencies kept at the edge of the spectrum",
}
PER_CENT = ("impulse", "bernoulli", "text", "spectrum")
EXPECTED = (
    f"expected none, or one of {', '.join(MODELS)} with a level or a range, "
    "for instance gauss25, gauss5_50, poisson30, impulse50"
)


@dataclasses.dataclass(frozen=True)
class Noise:
    """A noise model and the range of its strength.

    model: a key of `MODELS`, or "none" for images that are noisy already.
    low, high: strength in the units of the string (`MODELS`), uniform between them for each image.
    """

    model: str
    low: float = 0.0
    high: float = 0.0

    @property
    def is_fixed(self):
        return self.low == self.high

    def level(self, strength):
        """Strength in the string's units -> parameter: sigma on [0, 1], lambda, or a share."""
        return strength / (
            100.0 if self.model in PER_CENT else 255.0 if self.model == "gauss" else 1.0
        )


def parse(text):
    """Reads a noise string: model, level or low_high: "gauss25", "poisson5_50", "impulse0_100".

    Raises:
        ValueError: anything else, or a range that makes no sense.
    """
    if text == "none":
        return Noise("none")
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"({'|'.join(MODELS)}){number}(?:_{number})?", text)
    if not match:
        raise ValueError(f"noise={text!r}: {EXPECTED}.")
    model, low, high = match[1], float(match[2]), float(match[3] or match[2])
    if low > high:
        raise ValueError(f"noise={text!r}: the range runs downwards; write the lower level first.")
    if model in PER_CENT and high > 100:
        raise ValueError(f"noise={text!r}: the level is per cent of pixels, at most 100.")
    if model == "text" and high > 90:
        raise ValueError(f"noise={text!r}: random strings leave gaps; at most 90 per cent.")
    if model == "spectrum" and low == 0:
        raise ValueError(f"noise={text!r}: something must be kept; more than 0.")
    if model == "poisson" and high == 0:
        raise ValueError(f"noise={text!r}: lambda must be positive.")
    return Noise(model, low, high)


def deviation(text, level):
    """Standard deviation at middle grey on [0, 1], roughly: what classical denoisers go by."""
    model = parse(text).model
    if model == "spectrum":
        return 0.1  # what is missing of a spectrum has no level of its own
    if model == "poisson":
        return (0.5 / level) ** 0.5
    return level / 3 if model in PER_CENT else level


def trained(text):
    """The noise parameter that a fixed noise string stands for.

    Raises:
        ValueError: a range: the level of the image at hand must be given.
    """
    noise = parse(text)
    if not noise.is_fixed:
        raise ValueError(
            f"noise={text!r} is a range: give the level of the image, --noise_level=..."
        )
    return noise.level(noise.low)
