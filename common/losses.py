"""Losses on restored images that are no likelihoods."""

from keras import ops


def mean_square(restored, target):
    """Mean of (restored - target)^2, (N, H, W, C)."""
    return ops.mean(ops.square(restored - target))


def mean_power(restored, target, exponent):
    """Mean of (|restored - target| + 1e-8)^exponent.

    With the exponent annealed from 2 to 0.5 it finds the mode: the L0 loss of Lehtinen et al. 2018,
    section 3.2. tests/golden/ssdn_simple_pipeline.npz.
    """
    return ops.mean((ops.abs(restored - target) + 1e-8) ** exponent)
