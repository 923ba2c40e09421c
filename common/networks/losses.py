"""Losses of restored images, apart from likelihoods.

All take images and targets (N, H, W, C) or (N, D, H, W, C) and return a scalar.
"""

from __future__ import annotations

from keras import ops

from common.types import Array


def mean_square(restored: Array, target: Array) -> Array:
    """Mean of (restored - target)^2; its minimum is the mean of the targets."""
    return ops.mean(ops.square(restored - target))


def mean_absolute(restored: Array, target: Array) -> Array:
    """Mean of |restored - target|; its minimum is the median of the targets."""
    return ops.mean(ops.abs(restored - target))


def mean_square_where(restored: Array, target: Array, kept: Array | None) -> Array:
    """Mean of (restored - target)^2 over the values that were kept, 0 if none was.

    Lehtinen et al. 2018, section 3.2, multiplicative Bernoulli noise.

    kept: (N, H, W, 1 or C), 1 where the target holds the image, 0 where it was lost.
    """
    return mean_where(ops.square(restored - target), kept)


def mean_absolute_where(restored: Array, target: Array, kept: Array) -> Array:
    """Mean of |restored - target| over the values that were kept, as `mean_square_where`."""
    return mean_where(ops.abs(restored - target), kept)


def mean_where(errors: Array, kept: Array | None) -> Array:
    """Mean of errors (N, H, W, C) where `kept` (N, H, W, 1 or C) is 1, or everywhere if it is None.

    0 if it is 1 nowhere.
    """
    if kept is None:
        return ops.mean(errors)
    kept = ops.broadcast_to(kept, ops.shape(errors))
    return ops.sum(kept * errors) / ops.maximum(ops.sum(kept), 1.0)


def mean_power(restored: Array, target: Array, exponent: Array, kept: Array | None = None) -> Array:
    """Mean of (|restored - target| + 1e-8)^exponent.

    With an exponent annealed from 2 to 0.5, its minimum is the mode of the targets: the L0 loss of
    Lehtinen et al. 2018, section 3.2. tests/golden/ssdn_simple_pipeline.npz.

    kept: as for `mean_where`.
    """
    return mean_where((ops.abs(restored - target) + 1e-8) ** exponent, kept)
