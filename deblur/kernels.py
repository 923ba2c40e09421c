"""Blur kernels (random, of cameras, or measured in a file), and circular convolution with them."""

import dataclasses
import os
import pathlib
import re

import numpy as np

from common.files import image_files, pixels
from common.files.errors import ImageError

# Name of a law of kernels -> what its strength is, with the unit.
MODELS = {
    "lognormal": "sigma of the logarithm of the spectrum",
    "dirac": "deviation of the spectrum around 1",
    "motion": "length of a straight path, pixels",
    "disc": "radius, pixels",
}
CAMERA = ("motion", "disc")  # laws whose average kernel is not a Dirac, see `sharpening`
MAX_SIGMA = 50.0  # largest strength of random kernels
MAX_LENGTH = 255.0  # largest strength of camera kernels, pixels
# Largest absolute logarithm of a spectrum: single precision covers a range of about e^16. Larger
# draws are clipped on both sides in the same way, so that their mean stays 0.
MAX_LOG = 8.0
FILES = (".npy", ".tif", ".tiff", ".png")
FINE = 8  # sample points per pixel along each side of a disc; a path has twice as many


@dataclasses.dataclass(frozen=True)
class Blur:
    """A law of random kernels and the range of its strength, which is drawn uniformly.

    model: a key of `MODELS`.
    low, high: the range, in the unit of the model.
    """

    model: str
    low: float
    high: float


def parse(text):
    """Reads a blur string: "dirac0.25", "dirac0_0.5", "lognormal0_1", "motion9", "disc1_3".

    Returns:
        `Blur`.

    Raises:
        ValueError: the text is no blur string, or its range is empty or too large.
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
    """Largest side of the kernels of a camera's law, pixels."""
    half = blur.high / 2 if blur.model == "motion" else max(blur.high, 0.5) - 0.5
    return 2 * int(np.ceil(half)) + 1


def draw(blur, rng, size, *, unit_sum):
    """Draws a random kernel.

    lognormal: the spectrum is exp(sigma n) with normal n. n is real and equal at a frequency and
        its mirror image, so that the kernel is real and E[log spectrum] = 0.
    dirac: a Dirac plus normal entries of standard deviation sigma / sqrt(number of entries).
        E[kernel] is the Dirac, and the spectrum deviates from 1 by sigma at every frequency,
        whatever the size. If the kernel is as large as the image, its spectrum is the complex
        normal noise of mean 1 that the formulation `multiplicative` multiplies with.
    motion, disc: see the functions of these names.

    With a unit sum the spectrum is exactly 1 at frequency 0. That of a dirac kernel is then also
    nearly 1 at frequencies whose waves are longer than the kernel.

    Args:
        blur: `Blur`.
        rng: np.random.Generator.
        size: (h, w) of the kernel, pixels; unused for camera kernels, whose strength determines it.
        unit_sum: whether the entries sum to 1, as in real blur; otherwise the sum is random.

    Returns:
        (h, w) float64, with its middle at (h // 2, w // 2).

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
    """The kernel 2 Dirac - kernel, which sharpens as much as the kernel blurs.

    The average of both is the Dirac. The average of camera kernels is not a Dirac, so a network
    trained on blurred targets would learn to keep the blur. If half of the targets are sharpened
    instead, their average is the clean image, whatever the kernel.
    """
    sharpener = -kernel
    sharpener[kernel.shape[0] // 2, kernel.shape[1] // 2] += 2.0
    return sharpener


def symmetric_normal(rng, size):
    """Draws normal numbers (h, w) that are equal at every frequency and its mirror image.

    The zero frequency comes first. Because of the symmetry, any function of the numbers is the
    spectrum of a real image.
    """
    drawn = rng.standard_normal(size)
    mirrored = np.roll(np.flip(drawn), 1, axis=(0, 1))
    order = np.arange(drawn.size).reshape(size)
    return np.where(order <= np.roll(np.flip(order), 1, axis=(0, 1)), drawn, mirrored)


def motion(length, angle):
    """Kernel of a straight camera motion.

    Args:
        length: of the path, pixels.
        angle: of the path, radians.

    Returns:
        (n, n) float64 with sum 1, n odd.
    """
    steps = np.linspace(-0.5, 0.5, int(2 * FINE * np.ceil(length)) + 1) * length
    y, x = steps * np.sin(angle), steps * np.cos(angle)
    half = int(np.ceil(max(np.abs(y).max(), np.abs(x).max()) - 1e-9))
    kernel = np.zeros((2 * half + 3, 2 * half + 3))
    top, left = np.floor(y), np.floor(x)
    # Every point of the path is distributed over the four pixels around it.
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - down - (y - top)) * np.abs(1 - right - (x - left))
            where = ((top + down + half + 1).astype(int), (left + right + half + 1).astype(int))
            np.add.at(kernel, where, share)
    return kernel[1:-1, 1:-1] / kernel[1:-1, 1:-1].sum()


def disc(radius):
    """Kernel of a lens out of focus: a disc of `radius` pixels; (n, n) float64, sum 1, n odd."""
    radius = max(radius, 0.5)
    side = 2 * int(np.ceil(radius - 0.5)) + 1
    fine = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    inside = np.hypot(fine[:, None], fine) <= radius
    shares = inside.reshape(side, FINE, side, FINE).mean(axis=(1, 3))
    return shares / shares.sum()


def is_file(text):
    """Whether a string is the name of a file with a kernel, not a blur string."""
    return pathlib.Path(text).suffix.lower() in FILES


def read(path):
    """Reads a measured kernel from an image or .npy file: (h, w) float64, scaled to sum 1.

    Raises:
        ImageError: the file is not readable, or the kernel not usable, see `check`.
    """
    path = pathlib.Path(os.path.expanduser(path))
    kernel = pixels.to_channels(image_files.read_one(path), 1)[..., 0].astype(np.float64)
    try:
        check(kernel)
    except ValueError as error:
        raise ImageError(f"{path}: {error}") from error
    return kernel / kernel.sum()


def check(kernel):
    """Raises ValueError unless a kernel is (h, w), finite, with odd sides and a nonzero sum."""
    kernel = np.asarray(kernel)
    if kernel.ndim != 2 or not all(side % 2 for side in kernel.shape):
        sides = "x".join(map(str, kernel.shape))
        raise ValueError(f"a kernel of {sides}: expected two odd sides, so that it has a middle.")
    if not np.isfinite(kernel).all():
        raise ValueError("a kernel with NaN or infinite values.")
    if abs(kernel.sum()) <= 1e-6 * np.abs(kernel).sum():
        raise ValueError("a kernel whose values sum to 0: it would leave no brightness.")


def transfer(kernel, sides):
    """Spectrum of a kernel that is centred on the first pixel of an image.

    Args:
        kernel: (h, w).
        sides: (H, W) of the image, pixels.

    Returns:
        (H, W) complex128, zero frequency first.

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
    """Circular convolution of every channel of an image, by FFT.

    Args:
        image: (H, W, C).
        kernel: (h, w), with its middle at (h // 2, w // 2).

    Returns:
        (H, W, C) float32.

    Raises:
        ValueError: the kernel is larger than the image.
    """
    spectrum = transfer(kernel, image.shape[:2])[..., None] * np.fft.fft2(image, axes=(0, 1))
    return np.fft.ifft2(spectrum, axes=(0, 1)).real.astype(np.float32)
