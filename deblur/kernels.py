"""Blur kernels: drawn at random around a Dirac, of cameras, or measured; circular convolution."""

import dataclasses
import os
import pathlib
import re

import numpy as np

from common.files import image_files, pixels
from common.files.errors import ImageError

MODELS = {
    "lognormal": "sigma of the logarithm of the spectrum",
    "dirac": "deviation of the spectrum around 1",
    "motion": "length of a straight path, pixels",
    "disc": "radius, pixels",
}
CAMERA = ("motion", "disc")  # their mean is no Dirac, see `sharpening`
MAX_SIGMA = 50.0
MAX_LENGTH = 255.0  # of a camera's kernel, pixels
# Single precision holds spectra over a range of about e^16. Beyond, draws of the logarithm are cut
# off on both sides alike, which leaves its mean 0.
MAX_LOG = 8.0
FILES = (".npy", ".tif", ".tiff", ".png")
FINE = 8  # points to a pixel, along each side, of a disc; of a path twice as many


@dataclasses.dataclass(frozen=True)
class Blur:
    """A law of kernels and the range of its strength, uniform for each image.

    model: a key of `MODELS`; low, high: in its units.
    """

    model: str
    low: float
    high: float


def parse(text):
    """Reads "dirac0.25", "dirac0_0.5", "lognormal0_1", "motion9", "disc1_3".

    Raises:
        ValueError: anything else.
    """
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"({'|'.join(MODELS)}){number}(?:_{number})?", text)
    if not match:
        raise ValueError(
            f"blur={text!r}: expected one of {', '.join(MODELS)} with a strength or a range, as "
            "dirac0_0.5, lognormal0_1, motion9, disc3."
        )
    model, low, high = match[1], float(match[2]), float(match[3] or match[2])
    limit = MAX_LENGTH if model in CAMERA else MAX_SIGMA
    if low > high or high > limit:
        raise ValueError(f"blur={text!r}: {MODELS[model]} runs upwards, at most to {limit:g}.")
    return Blur(model, low, high)


def largest_side(blur):
    """Of the kernels of a camera's law, pixels."""
    half = blur.high / 2 if blur.model == "motion" else max(blur.high, 0.5) - 0.5
    return 2 * int(np.ceil(half)) + 1


def draw(blur, rng, size, *, unit_sum):
    """Draws a kernel.

    lognormal: its spectrum is exp(sigma n), n real, normal, equal at a frequency and its mirror
    image, so that kernels are real and E[log spectrum] = 0. dirac: a Dirac plus normal entries of
    deviation sigma / sqrt(entries), so that E[kernel] is the Dirac and its spectrum deviates from
    1 by sigma at any frequency, whatever the size: of the image's own size it is the complex
    normal noise of mean 1 by which `multiplicative` multiplies. A unit sum takes the deviation away
    at frequency 0, and most of it at those with longer waves than the kernel. motion, disc: of
    cameras.

    Args:
        blur: `Blur`.
        rng: np.random.Generator.
        size: (h, w) of the kernel; that of camera kernels follows from their strength.
        unit_sum: entries sum to 1, as those of real blur do; else the sum is as random as the rest.

    Returns:
        (h, w) float64, its middle at (h // 2, w // 2).

    Reference: Cadiou & Dervishi, "Self-supervised methods for low-level vision", section 4.2; the
    report's 5x5 kernels of a log-normal spectrum are `lognormal` with size (5, 5).
    """
    strength = rng.uniform(blur.low, blur.high)
    if blur.model == "motion":
        return motion(strength, rng.uniform(0.0, np.pi))
    if blur.model == "disc":
        return disc(strength)
    if blur.model == "lognormal":
        exponent = strength * symmetric_normal(rng, size)
        if unit_sum:
            exponent[0, 0] = 0.0
        spectrum = np.exp(np.clip(exponent, -MAX_LOG, MAX_LOG))
        return np.fft.fftshift(np.fft.ifft2(spectrum).real)
    entries = rng.standard_normal(size)
    if unit_sum:
        entries = (entries - entries.mean()) * np.sqrt(entries.size / max(entries.size - 1, 1))
    kernel = strength * entries / np.sqrt(entries.size)
    kernel[size[0] // 2, size[1] // 2] += 1.0
    return kernel


def sharpening(kernel):
    """2 Dirac - kernel: it sharpens as much as the kernel blurs. The mean of both is the Dirac.

    So a target that is blurred or sharpened, as likely, is right on average, whatever the kernel;
    one that is always blurred would teach the blur.
    """
    found = -kernel
    found[kernel.shape[0] // 2, kernel.shape[1] // 2] += 2.0
    return found


def symmetric_normal(rng, size):
    """(h, w) standard normal, equal at every frequency and its mirror image; zero frequency first.

    The inverse transform of a function of it is real.
    """
    drawn = rng.standard_normal(size)
    mirrored = np.roll(np.flip(drawn), 1, axis=(0, 1))
    order = np.arange(drawn.size).reshape(size)
    return np.where(order <= np.roll(np.flip(order), 1, axis=(0, 1)), drawn, mirrored)


def motion(length, angle):
    """Straight motion over `length` pixels at `angle` (radians): (n, n) float64 of sum 1, n odd."""
    steps = np.linspace(-0.5, 0.5, int(2 * FINE * np.ceil(length)) + 1) * length
    y, x = steps * np.sin(angle), steps * np.cos(angle)
    half = int(np.ceil(max(np.abs(y).max(), np.abs(x).max()) - 1e-9))
    kernel = np.zeros((2 * half + 3, 2 * half + 3))
    top, left = np.floor(y), np.floor(x)
    # Each point is shared among the four pixels around it.
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - down - (y - top)) * np.abs(1 - right - (x - left))
            where = ((top + down + half + 1).astype(int), (left + right + half + 1).astype(int))
            np.add.at(kernel, where, share)
    return kernel[1:-1, 1:-1] / kernel[1:-1, 1:-1].sum()


def disc(radius):
    """A lens out of focus: (n, n) float64 of sum 1, n odd, a disc of `radius` pixels."""
    radius = max(radius, 0.5)
    side = 2 * int(np.ceil(radius - 0.5)) + 1
    fine = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    inside = np.hypot(fine[:, None], fine) <= radius
    shares = inside.reshape(side, FINE, side, FINE).mean(axis=(1, 3))
    return shares / shares.sum()


def is_file(text):
    """Whether a string names a file with a kernel, not a law of them."""
    return pathlib.Path(text).suffix.lower() in FILES


def read(path):
    """A measured kernel from an image or .npy file: (h, w) float64, its sum 1.

    Raises:
        ImageError: not readable, or not to be used, see `check`.
    """
    path = pathlib.Path(os.path.expanduser(path))
    kernel = pixels.to_channels(image_files.read_one(path), 1)[..., 0].astype(np.float64)
    try:
        check(kernel)
    except ValueError as error:
        raise ImageError(f"{path}: {error}") from error
    return kernel / kernel.sum()


def check(kernel):
    """Raises ValueError for a kernel that is not (h, w), finite, of odd sides, of a sum but 0."""
    kernel = np.asarray(kernel)
    if kernel.ndim != 2 or not all(side % 2 for side in kernel.shape):
        sides = "x".join(map(str, kernel.shape))
        raise ValueError(f"a kernel of {sides}: expected two odd sides, they have a middle.")
    if not np.isfinite(kernel).all():
        raise ValueError("a kernel with NaN or infinite values.")
    if abs(kernel.sum()) <= 1e-6 * np.abs(kernel).sum():
        raise ValueError("a kernel whose values sum to 0: it would leave no brightness.")


def transfer(kernel, sides):
    """The spectrum of a kernel laid around the first pixel of an (H, W) image: (H, W) complex128.

    Raises:
        ValueError: the kernel is larger than the image.
    """
    if any(n > side for n, side in zip(kernel.shape, sides)):
        k, s = ("x".join(map(str, shape)) for shape in (kernel.shape, sides))
        raise ValueError(f"a kernel of {k} is larger than the image of {s}.")
    padded = np.zeros(sides)
    padded[: kernel.shape[0], : kernel.shape[1]] = kernel
    return np.fft.fft2(np.roll(padded, [-(n // 2) for n in kernel.shape], axis=(0, 1)))


def convolve(image, kernel):
    """Circular convolution of every channel of (H, W, C), by FFT; float32.

    Raises:
        ValueError: the kernel is larger than the image.
    """
    spectrum = transfer(kernel, image.shape[:2])[..., None] * np.fft.fft2(image, axes=(0, 1))
    return np.fft.ifft2(spectrum, axes=(0, 1)).real.astype(np.float32)
