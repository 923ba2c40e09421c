"""How noisy an image is, whether neighbours share the noise, whether it grows with the signal."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from common import noise as noises
from common.restoring import noise_curve

# Patches: sides of colour and grey ones, and pixels from one to the next. Of grey ones the calmest
# share counts. Their covariance needs many times more patches than it has rows.
COLOUR_PATCHES, GREY_PATCHES = ((6, 2), (5, 1), (3, 1)), ((7, 2), (5, 1))
GREY_SHARE, PATCHES_A_ROW, MAX_PATCHES = 0.05, 20, 20000
INSIDE = 2.0  # deviations between the mean of a patch and the values at which it is clipped
MAX_CHANNELS = 3  # that are looked at, of images with more
BLUR = 2.0  # pixels; what varies in the blurred image counts as texture
CALM_SIDE, CALM_BLUR, CALM_SHARE = 16, 6.0, 0.05  # squares in which shared noise is looked for
MUCH = 0.03  # of the span, in calm squares; more counts as shared, correlated or not
CORRELATED = 0.5  # with the next pixel, in calm squares; more counts as shared
LEVELS = 8  # of the signal, at which the noise is measured
GROWTH = 1.5  # variance at the bright end over that at the dark end that counts as growing
MIN_SIDE = 32  # pixels
TOLERANCE = 1.4  # factor of the trained sigmas, beyond which a model is said to be unsuited
ALMOST_NONE = 2 / 255  # deviations below it, of the span, are as good as none
CUT_OFF = 0.1  # of the pixels; more without their noise speak against a model


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is known of an image's noise, in the units of the image.

    Attributes:
        sigma: standard deviation of the noise that is independent between pixels.
        calm: deviation in calm squares; beyond `sigma` it is noise that neighbours share, as JPEG
            files of cameras have it, or fine texture: a single image does not tell.
        correlation: with the next pixel, in these squares.
        gain, offset: the variance is gain * signal + offset, fitted at several levels of it.
        grows: whether that line rises clearly over the levels of this image.
        clipped: share of the pixels with the largest or the smallest value that integers have.
        cut_off: share of the pixels of a channel that noise has moved beyond the image's range, and
            that therefore have its end.
        span: 255 for 8 bits, and for others what most values of the image span.
        levels: (value, variance) that the line is fitted to.
    """

    sigma: float
    calm: float
    correlation: float
    gain: float
    offset: float
    grows: bool
    clipped: float
    cut_off: float
    span: float
    levels: tuple[tuple[float, float], ...] = ()

    @property
    def almost_none(self) -> bool:
        """Whether there is hardly any independent noise."""
        return self.sigma < ALMOST_NONE * self.span

    @property
    def explained(self) -> float:
        """Root mean square of what may be taken away as noise: generous, twice the estimate."""
        return 2 * max(self.sigma, self.calm if self.shared else 0.0) + ALMOST_NONE * self.span

    @property
    def how_shared(self) -> str:
        """What shares the noise, in words."""
        return "neighbours together" if self.correlation > CORRELATED else "colours together"

    @property
    def shared(self) -> bool:
        """Whether calm squares vary more than independent noise does.

        They vary together, or by very much: JPEG files hold the colours of strong noise at half the
        resolution, and its brightness at the whole.
        """
        more = self.calm > max(2 * self.sigma, ALMOST_NONE * self.span / 3)
        return more and (self.correlation > CORRELATED or self.calm > MUCH * self.span)


def examine(image: np.ndarray) -> Finding:
    """Look at the noise of one image.

    Args:
        image: (H, W, C) as stored, MIN_SIDE pixels or more a side.

    Raises:
        ValueError: a smaller one.
    """
    if min(image.shape[:2]) < MIN_SIDE:
        raise ValueError(f"{image.shape[1]}x{image.shape[0]} pixels are too few to see the noise.")
    image = _distinct(image[..., :MAX_CHANNELS])
    values = np.asarray(image, np.float64)
    calm, correlation = _in_calm_squares(values)
    gain, offset, grows, levels = _by_level(values)
    clipped, span, limits = 0.0, 255.0, None
    if image.dtype.kind == "u":
        limits = 0.0, float(np.iinfo(image.dtype).max)
        clipped = float(np.mean((values == limits[0]) | (values == limits[1])))
    if image.dtype != np.uint8:
        span = float(np.ptp(np.quantile(values, (0.002, 0.998)))) or 1.0
    cut = max(_cut_off(channel) for channel in np.moveaxis(image, -1, 0))
    sigma = white_deviation(values, limits)
    return Finding(sigma, calm, correlation, gain, offset, grows, clipped, cut, span, levels)


def _cut_off(channel):
    """Share of the pixels (H, W) that have an end of the range, but for areas of one value.

    In images of 8 bits 0 and 255 are the ends; others may be counts, which have an end of their own
    and true zeros.
    """
    if channel.dtype != np.uint8:
        return float(noise_curve.clipped(channel).mean())
    at_end = (channel == 0) | (channel == 255)
    return float((at_end & ~noise_curve.masked(channel)).mean())


def measures(noise: noises.Noise) -> bool:
    """Whether `examine` sees the noise of a model: not text, and not the loss of pixels."""
    seen = (noises.Gauss, noises.Poisson, noises.Impulse, noises.Camera)
    return noise.is_none or isinstance(noise, seen)


def mismatch(finding: Finding, noise: noises.Noise, white: float) -> str:
    """Why a model may do badly on an image, in a sentence; empty if nothing speaks against it.

    Args:
        finding: of `examine`.
        noise: that the model was trained on.
        white: value of the image that stands for 1.
    """
    if noise.is_none:
        return ""  # trained on such files, which were looked at then
    if finding.shared and not isinstance(noise, noises.Camera):
        return (
            f"its calm areas vary by {finding.calm:.2g}, {finding.how_shared}: fine texture, or "
            "noise as JPEG files of cameras have it. This model was trained on independent noise "
            "and may make it worse; of colour pictures, --model=photo-camera knows such noise."
        )
    if isinstance(noise, (noises.Gauss, noises.Camera)) and not finding.shared:
        sigma = 255 * finding.sigma / white
        low, high = noise.low / TOLERANCE, noise.high * TOLERANCE
        if not low <= sigma <= high:
            does = "smooth it too much" if sigma < low else "leave noise"
            return (
                f"its noise has a sigma of about {sigma:.2g} of 255, and this model was trained on "
                f"{noise}; it will {does}."
            )
    knows = noise.clipped or not noise.CLIPPABLE
    if finding.cut_off > CUT_OFF and not (knows or finding.almost_none):
        return (
            f"{finding.cut_off:.0%} of its pixels were cut off at black or white with their noise, "
            "and this model was trained on whole noise: dark areas come out too bright. Nothing "
            "here brings back what was cut off; raw files have it."
        )
    return ""


def white_deviation(image: np.ndarray, limits: tuple[float, float] | None = None) -> float:
    """Standard deviation of white noise, equal in all channels, of (H, W, C).

    limits: values at which the image is clipped; patches near them do not count if there are
        enough others.

    The eigenvalues of the patches' covariance are those of the noise, but for some large ones; the
    largest are left out until the others' mean is not above their median (Chen, Zhu & Heng 2015,
    "An efficient statistical method for image noise level estimation"). Grey images have too few
    channels to tell texture from noise, so only their calmest patches count.
    """
    grey = image.shape[-1] == 1
    for side, step in GREY_PATCHES if grey else COLOUR_PATCHES:
        windows = _windows(image, side, step)
        needed = PATCHES_A_ROW * side * side * image.shape[-1]
        if len(windows) >= needed:
            break
    texture = None
    if grey:
        blurred = _windows(ndimage.gaussian_filter(image, (BLUR, BLUR, 0)), side, step)
        texture = blurred.var(axis=(1, 2, 3))
    sigma = _of_windows(windows, texture, needed)
    if limits is not None:
        levels, margin = windows.mean(axis=(1, 2, 3)), INSIDE * sigma
        inside = np.flatnonzero((levels > limits[0] + margin) & (levels < limits[1] - margin))
        if len(inside) >= needed:
            sigma = _of_windows(
                windows[inside], None if texture is None else texture[inside], needed
            )
    return sigma


def _of_windows(windows, texture, needed):
    """Standard deviation of white noise in (N, C, side, side).

    Args:
        windows: the patches.
        texture: of each, the calmest share of them counts; None: all count.
        needed: how many there must be at least.
    """
    if texture is not None:
        count = max(int(GREY_SHARE * len(windows)), needed)
        windows = windows[np.argsort(texture, kind="stable")[:count]]
    windows = windows[:: -(-len(windows) // max(MAX_PATCHES, needed))]
    patches = windows.reshape(len(windows), -1).astype(np.float64)
    patches = patches - patches.mean(axis=0 if texture is None else 1, keepdims=True)
    values = np.sort(np.linalg.eigvalsh(patches.T @ patches / len(patches)))[::-1]
    # Without the mean of each patch one is 0.
    values = values if texture is None else values[:-1]
    for first in range(len(values)):
        if values[first:].mean() <= np.median(values[first:]):
            return float(max(values[first:].mean(), 0.0) ** 0.5)
    return 0.0


def _windows(image, side, step):
    """(N, C, side, side) of (H, W, C), a view where that is possible."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(0, 1))
    windows = windows[::step, ::step]
    return windows.reshape(-1, *windows.shape[2:])


def _distinct(image):
    """The first channel alone of a grey image that is stored as colour."""
    same = all(np.array_equal(image[..., 0], image[..., c]) for c in range(image.shape[-1]))
    return image[..., :1] if same else image


def _in_calm_squares(values):
    """(deviation, correlation with the next pixel) in the calmest squares, means of the channels.

    Scales above CALM_BLUR are left out.
    """
    deviations, correlations = [], []
    for channel in np.moveaxis(values, -1, 0):
        rest = channel - ndimage.gaussian_filter(channel, CALM_BLUR)
        rows, columns = (n // CALM_SIDE for n in rest.shape)
        cut = rest[: rows * CALM_SIDE, : columns * CALM_SIDE]
        squares = cut.reshape(rows, CALM_SIDE, columns, CALM_SIDE).swapaxes(1, 2)
        squares = squares.reshape(-1, CALM_SIDE, CALM_SIDE)
        order = np.argsort(squares.std(axis=(1, 2)), kind="stable")
        calm = squares[order[: max(1, int(CALM_SHARE * len(order)))]]
        power = max(float(np.mean(np.square(calm))), 1e-12)
        along = np.mean(calm[:, :, 1:] * calm[:, :, :-1]), np.mean(calm[:, 1:] * calm[:, :-1])
        correlations.append(float(np.mean(along)) / power)
        deviations.append(float(calm[-1].std()))
    return float(np.mean(deviations)), float(np.mean(correlations))


def _by_level(values):
    """(gain, offset, whether the noise grows, points): a line through the variance at some levels.

    The variance is that of diagonal differences of 2x2 pixels, by their median, in the calmer half
    of the squares at each level.
    """
    height, width = (n // 2 * 2 for n in values.shape[:2])
    a, b = values[:height:2, :width:2], values[:height:2, 1:width:2]
    c, d = values[1:height:2, :width:2], values[1:height:2, 1:width:2]
    detail = np.abs(a - b - c + d) / 2
    level = ndimage.uniform_filter((a + b + c + d) / 4, (5, 5, 0))
    edge = ndimage.gaussian_gradient_magnitude(level[..., 0], 1.0)[..., None] + 0 * level
    edges = np.quantile(level, np.linspace(0.02, 0.98, LEVELS + 1))
    points = []
    for low, high in zip(edges, edges[1:]):
        inside = (level >= low) & (level <= high)
        if np.count_nonzero(inside) < 200 or high <= low:
            continue
        inside &= edge <= np.median(edge[inside])
        deviation = float(np.median(detail[inside])) / 0.6745
        points.append((float(level[inside].mean()), deviation**2))
    if len(points) < 3 or np.ptp(points, axis=0).min() == 0:
        return 0.0, float(np.median(detail) / 0.6745) ** 2, False, tuple(points)
    x, y = np.array(points).T
    gain, offset = np.polyfit(x, y, 1)
    ends = gain * x[[0, -1]] + offset
    agrees = np.corrcoef(x, y)[0, 1] > 0.9
    grows = bool(agrees and ends[1] > GROWTH * max(ends[0], 1e-12))
    return float(gain), float(offset), grows, tuple(points)
