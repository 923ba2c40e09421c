"""Functions of juglab's `n2v.utils.n2v_utils` that notebooks and scripts call."""

import typing

import numpy as np
import tensorflow as tf

from common.data import streams
from n2v_tf import masking


class Manipulation(typing.NamedTuple):
    """Where the value that replaces a blind spot comes from; one of blind_spots.MANIPULATORS."""

    name: str
    radius: int


def _maker(name):
    def make(local_sub_patch_radius=5):
        return Manipulation(name, int(local_sub_patch_radius))

    make.__doc__ = f"Values by {name!r}, from a neighbourhood of this radius, pixels."
    return make


pm_uniform_withCP = _maker("uniform_withCP")
pm_uniform_withoutCP = _maker("uniform_withoutCP")
pm_normal_withoutCP = _maker("normal_withoutCP")
pm_normal_additive = _maker("normal_additive")
pm_normal_fitted = _maker("normal_fitted")
pm_mean = _maker("mean")
pm_median = _maker("median")
pm_identity = _maker("identity")
USUAL = pm_uniform_withCP(5)


def manipulate_val_data(X_val, Y_val, perc_pix=0.198, shape=(64, 64), value_manipulation=USUAL):
    """Hides pixels of validation patches, once: changes both arrays in place.

    All channels of a patch have the same blind spots. Pixels around them that structN2V hides in
    the training stay, as in the original. Draws come from NumPy's global generator, as there.

    Args:
        X_val: (S, Y, X, C) or (S, Z, Y, X, C) float, standardised; its blind spots get other
            values.
        Y_val: like X_val with twice the channels; becomes the values that were hidden, 0 elsewhere,
            then the mask, 1 in the blind spots.
        perc_pix: share of the pixels, per cent; in volumes far fewer, as in `masking.draw_spots`.
        shape: sides of a training patch; only their number counts.
        value_manipulation: made by one of the functions pm_... above.

    Raises:
        ValueError: arrays that do not fit together, or another manipulation.
    """
    if X_val.ndim != len(shape) + 2 or Y_val.shape != (*X_val.shape[:-1], 2 * X_val.shape[-1]):
        raise ValueError(
            f"X_val is {X_val.shape} and Y_val {Y_val.shape}: expected (S, Y, X, C) and twice the "
            "channels."
        )
    if not isinstance(value_manipulation, Manipulation):
        raise ValueError("value_manipulation: expected one of this module's pm_... functions.")
    channels = X_val.shape[-1]
    Y_val[...] = 0
    for number, patch in enumerate(X_val):
        seed = tf.constant([np.random.randint(2**31 - 1), number], tf.int32)
        seed = streams.fold(seed, streams.TensorStream.N2V_VALIDATION)
        spots = masking.draw_spots(patch.shape[:-1], perc_pix, seed)
        for channel in range(channels):
            values = np.float32(patch[..., channel])  # a copy, for the patch is changed
            hidden, kept = masking.mask(
                tf.constant(values),
                perc_pix,
                value_manipulation.name,
                value_manipulation.radius,
                tf.random.fold_in(seed, channel),
                spots=spots,
            )
            kept = np.asarray(kept)
            Y_val[number, ..., channel] = np.where(kept, values, 0)
            Y_val[number, ..., channels + channel] = kept
            patch[..., channel] = hidden
