"""Sampling spectra, and putting measured frequencies back (Lehtinen et al. 2018, section 3.4).

Spectra, probabilities and densities are (H, W) with the zero frequency in the middle. H and W are
odd, because only then every frequency has a mirror image; keeping both or neither of such a pair
leaves the image real.
"""

import numpy as np
from keras import ops


def keep_probability(height, width, edge):
    """Probability that a sample is kept: m = edge^(r / h).

    r is its distance from the centre, pixels, and h is half the width.

    Args:
        height, width: odd numbers, pixels.
        edge: probability at the left and right edge, 0.025 in the paper.

    Returns:
        (H, W) float32, 1 in the middle; that of the original, tests/golden/mri.npz.

    Raises:
        ValueError: an even side.
    """
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"{height}x{width}: expected odd sides.")
    y = np.arange(height)[:, None] - height // 2
    x = np.arange(width) - width // 2
    return (edge ** (np.hypot(y, x) / max(width // 2, 1))).astype(np.float32)


def draw_density(probability, uniform):
    """Draws which samples are kept.

    A pair of mirrored samples is kept if u^2 < m for both draws u, that is with probability m.

    Args:
        probability: (H, W), m of `keep_probability`.
        uniform: (..., H, W), random numbers u on [0, 1).

    Returns:
        the density: (..., H, W), m where a sample is kept and 0 elsewhere; type of `probability`.
    """
    passed = uniform**2 < probability
    return np.where(passed & passed[..., ::-1, ::-1], probability, 0)


def corrupt(image, density):
    """Reconstructs an image from its kept samples alone, each divided by its density.

    The expectation of the result over draws of `density` is the image.

    Args:
        image: (..., H, W) float.
        density: (..., H, W), of `draw_density`.

    Returns:
        (..., H, W) float32.
    """
    return compensated(np.fft.fftshift(np.fft.fft2(image), axes=(-2, -1)), density)


def compensated(measured, density):
    """Inverse transform of measured samples, each divided by its density.

    Args:
        measured: (..., H, W) complex, zero frequency in the middle.
        density: (..., H, W), of `draw_density`.

    Returns:
        (..., H, W) float32.
    """
    inverse = np.divide(1.0, density, out=np.zeros(density.shape), where=density > 0)
    unshifted = np.fft.ifftshift(measured * inverse, axes=(-2, -1))
    return np.fft.ifft2(unshifted).real.astype(np.float32)


def put_back(restored, corrupted, density):
    """Replaces the measured frequencies of a restored image by their measured values.

    Computed by keras.ops, differentiable.

    Args:
        restored: (N, H, W, 1).
        corrupted: (N, H, W, 1), of `corrupt`; its spectrum times `density` is the measurement.
        density: (N, H, W, 1), of `draw_density`.

    Returns:
        (N, H, W, 1); that of the original, tests/golden/mri.npz, `post_op_fspec`.
    """
    restored, corrupted, density = (x[..., 0] for x in (restored, corrupted, density))
    density = _unshifted(density)
    kept = ops.cast(density > 0, restored.dtype)
    # Both transforms are linear: one of each is enough.
    measured = (part * density for part in _spectrum(corrupted))
    replaced = [m + (1.0 - kept) * r for m, r in zip(measured, _spectrum(restored))]
    return ops.ifft2(tuple(replaced))[0][..., None]


def mean_square_where_measured(restored, target, density):
    """Mean square error over the frequencies that were measured in the target; keras.ops.

    Every frequency has the weight 1 / density. On average over the sampling of the target, the
    result is therefore the mean square error to the clean image (Parseval). The mean square error
    to the target image has the same gradient on average, but its noise is in proportion to the
    image's spectrum; here it is in proportion to the error of the network.

    Args:
        restored: (N, H, W, 1).
        target: (N, H, W, 1), of `corrupt`, with another sampling than the network's input.
        density: (N, H, W, 1), of `draw_density`, of the target; if it is 1 everywhere, the result
            is `losses.mean_square`.

    Returns:
        scalar.
    """
    restored, target, density = (x[..., 0] for x in (restored, target, density))
    density = _unshifted(density)
    kept = density > 0
    weight = ops.cast(kept, restored.dtype) / ops.where(kept, density, 1.0)
    power = 0.0
    for ours, theirs in zip(_spectrum(restored), _spectrum(target)):
        power += ops.mean(weight * ops.square(ours - density * theirs))
    height, width = density.shape[1:3]
    return power / (height * width)


def _spectrum(image):
    """Real and imaginary part of the spectrum of (N, H, W), with the zero frequency first."""
    return ops.fft2((image, ops.zeros_like(image)))


def _unshifted(density):
    """Moves the zero frequency of (N, H, W) from the middle to the first place."""
    height, width = ops.shape(density)[1:3]
    return ops.roll(density, (-(height // 2), -(width // 2)), axis=(1, 2))
