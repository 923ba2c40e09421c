"""Sampling of spectra, and putting what was measured back (Lehtinen et al. 2018, section 3.4).

Spectra and what belongs to them, (H, W), have the zero frequency in the middle, H and W odd: only
then every frequency has its mirror image, and a kept pair of them stays a real image.
"""

import numpy as np
from keras import ops


def keep_probability(height, width, edge):
    """Share of the samples kept: m = edge^(r / h), r pixels from the centre, h half the width.

    Args:
        height, width: odd.
        edge: the share at the left and right edge, 0.025 in the paper.

    Returns:
        (H, W) float32, 1 in the middle. tests/golden/mri.npz.
    """
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"{height}x{width}: expected odd sides.")
    y = np.arange(height)[:, None] - height // 2
    x = np.arange(width) - width // 2
    return (edge ** (np.hypot(y, x) / max(width // 2, 1))).astype(np.float32)


def draw_density(probability, uniform):
    """Which samples are kept, and with which share: m where kept, 0 elsewhere.

    A pair of mirrored samples is kept if both of its draws pass u^2 < m, hence with probability m.

    Args:
        probability: (H, W), m of `keep_probability`.
        uniform: (..., H, W) on [0, 1).

    Returns:
        (..., H, W), type of `probability`.
    """
    passed = uniform**2 < probability
    return np.where(passed & passed[..., ::-1, ::-1], probability, 0)


def corrupt(image, density):
    """Inverse transform of the samples kept, each divided by its share; float32 (..., H, W).

    Its expectation over draws of `density` is the image.
    """
    return compensated(np.fft.fftshift(np.fft.fft2(image), axes=(-2, -1)), density)


def compensated(measured, density):
    """The inverse transform of measured samples, each divided by its share; float32 (..., H, W)."""
    inverse = np.divide(1.0, density, out=np.zeros(density.shape), where=density > 0)
    unshifted = np.fft.ifftshift(measured * inverse, axes=(-2, -1))
    return np.fft.ifft2(unshifted).real.astype(np.float32)


def put_back(restored, corrupted, density):
    """Gives a restored image the frequencies that were measured; keras.ops, differentiable.

    Args:
        restored: (N, H, W, 1).
        corrupted: (N, H, W, 1), of `corrupt`: its spectrum times `density` is what was measured.
        density: (N, H, W, 1), of `draw_density`.

    Returns:
        (N, H, W, 1): tests/golden/mri.npz, `post_op_fspec`.
    """
    restored, corrupted, density = (x[..., 0] for x in (restored, corrupted, density))
    density = _unshifted(density)
    kept = ops.cast(density > 0, restored.dtype)
    # Both transforms are linear: one of each is enough.
    measured = (part * density for part in _spectrum(corrupted))
    replaced = [m + (1.0 - kept) * r for m, r in zip(measured, _spectrum(restored))]
    return ops.ifft2(tuple(replaced))[0][..., None]


def mean_square_where_measured(restored, target, density):
    """Mean of (restored - target)^2 over the frequencies measured in the target; keras.ops.

    Each is weighted with one over its share, so that over draws of the target's samples the mean
    is that to the image itself (Parseval). `corrupt`'s division in the target has
    the same gradient on average, but noise in proportion to the image's spectrum; here it is in
    proportion to what the network gets wrong.

    Args:
        restored: (N, H, W, 1).
        target: (N, H, W, 1), of `corrupt`, another sampling than the network saw.
        density: (N, H, W, 1), of `draw_density`, the target's; 1 everywhere: `mean_square`.
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
    """Real and imaginary part of the transform of (N, H, W), the zero frequency first."""
    return ops.fft2((image, ops.zeros_like(image)))


def _unshifted(density):
    """(N, H, W) with the zero frequency first, as `_spectrum` has it."""
    height, width = ops.shape(density)[1:3]
    return ops.roll(density, (-(height // 2), -(width // 2)), axis=(1, 2))
