"""Number of blind spots, and the structure around them; without TensorFlow."""

import numpy as np

# Ways to replace the value of a blind spot; `masking` has a function for each.
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
    """Side of the boxes with one blind spot each, pixels: round(sqrt(100 / perc_pix)).

    perc_pix: blind spots in per cent of the pixels.
    """
    return max(int(np.round(np.sqrt(100 / perc_pix))), 1)


def expected_spots(shape, perc_pix):
    """Average number of blind spots in a patch.

    Args:
        shape: sides of the patch, pixels.
        perc_pix: see `box_side`.
    """
    side = box_side(perc_pix)
    return float(np.prod([n / side for n in shape]))


def struct_offsets(kernel):
    """Offsets of a kernel's ones from its centre, without the centre: (k, 2) or (k, 3) int32.

    kernel: 2D or 3D array of 0 and 1 with odd sides.
    """
    kernel = np.asarray(kernel)
    offsets = np.argwhere(kernel) - np.array(kernel.shape) // 2
    return offsets[np.any(offsets != 0, axis=1)].astype(np.int32)
