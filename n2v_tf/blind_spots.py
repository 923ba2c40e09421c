"""How blind spots are laid out, without TensorFlow: their number, and the structure around them."""

import numpy as np

# What hides a blind spot; `masking` has a function for each.
MANIPULATORS = (
    "uniform_withCP",
    "uniform_withoutCP",
    "normal_withoutCP",
    "normal_additive",
    "normal_fitted",
    "mean",
    "median",
    "identity",
)


def box_side(perc_pix):
    """Side of the boxes that hold a blind spot each, pixels: round(sqrt(100 / perc_pix))."""
    return max(int(np.round(np.sqrt(100 / perc_pix))), 1)


def expected_spots(shape, perc_pix):
    """How many blind spots a patch has on average."""
    side = box_side(perc_pix)
    return float(np.prod([n / side for n in shape]))


def struct_offsets(kernel):
    """(k, 2) or (k, 3) int32 offsets of a kernel's ones, its centre left out.

    kernel: array of 0 and 1 with odd sides.
    """
    kernel = np.asarray(kernel)
    offsets = np.argwhere(kernel) - np.array(kernel.shape) // 2
    return offsets[np.any(offsets != 0, axis=1)].astype(np.int32)
