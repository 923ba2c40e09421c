"""Losses on restored images that are no likelihoods."""

from keras import ops


def mean_square(restored, target):
    """Mean of (restored - target)^2, (N, H, W, C): finds the mean of the targets."""
    return ops.mean(ops.square(restored - target))


def mean_absolute(restored, target):
    """Mean of |restored - target|: finds the median of the targets."""
    return ops.mean(ops.abs(restored - target))


def mean_square_where(restored, target, kept):
    """Mean of (restored - target)^2 over the values that were kept, 0 if none was.

    kept: (N, H, W, 1), 1 where the target holds the image, 0 where it was lost (Lehtinen et al.
    2018, section 3.2, multiplicative Bernoulli noise).
    """
    return _mean_where(ops.square(restored - target), kept)


def mean_absolute_where(restored, target, kept):
    """Mean of |restored - target| over the values that were kept, as `mean_square_where`."""
    return _mean_where(ops.abs(restored - target), kept)


def _mean_where(errors, kept):
    kept = ops.broadcast_to(kept, ops.shape(errors))
    return ops.sum(kept * errors) / ops.maximum(ops.sum(kept), 1.0)


def mean_power(restored, target, exponent):
    """Mean of (|restored - target| + 1e-8)^exponent.

    With the exponent annealed from 2 to 0.5 it finds the mode: the L0 loss of Lehtinen et al. 2018,
    section 3.2. tests/golden/ssdn_simple_pipeline.npz.
    """
    return ops.mean((ops.abs(restored - target) + 1e-8) ** exponent)
