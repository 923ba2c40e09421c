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
    height, width = ops.shape(density)[1:3]
    density = ops.roll(density, (-(height // 2), -(width // 2)), axis=(1, 2))
    kept = ops.cast(density > 0, restored.dtype)
    # Both transforms are linear: one of each is enough.
    real, imaginary = ops.fft2((corrupted, ops.zeros_like(corrupted)))
    measured = real * density, imaginary * density
    real, imaginary = ops.fft2((restored, ops.zeros_like(restored)))
    replaced = [m + (1.0 - kept) * r for m, r in zip(measured, (real, imaginary))]
    return ops.ifft2(tuple(replaced))[0][..., None]
