"""Functions of juglab's `n2v.utils.n2v_utils` that notebooks and scripts call."""

import numpy as np
import tensorflow as tf

from common.data import streams
from n2v_tf import blind_spots, masking


def manipulate_val_data(
    X_val, Y_val, perc_pix=0.198, shape=(64, 64), value_manipulation="uniform_withCP", radius=5
):
    """Hides pixels of validation patches, once: changes both arrays in place.

    All channels of a patch have the same blind spots. Pixels around them that structN2V hides in
    the training stay, as in the original.

    Args:
        X_val: (S, Y, X, C) or (S, Z, Y, X, C) float, standardised; its blind spots get other
            values.
        Y_val: like X_val with twice the channels; becomes the values that were hidden, 0 elsewhere,
            then the mask, 1 in the blind spots.
        perc_pix: share of the pixels, per cent; in volumes far fewer, as in `masking.draw_spots`.
        shape: sides of a training patch; only their number counts.
        value_manipulation: one of blind_spots.MANIPULATORS.
        radius: of the neighbourhood that values come from, pixels.

    Raises:
        ValueError: arrays that do not fit together, or another manipulator.
    """
    if X_val.ndim != len(shape) + 2 or Y_val.shape != (*X_val.shape[:-1], 2 * X_val.shape[-1]):
        raise ValueError(
            f"X_val is {X_val.shape} and Y_val {Y_val.shape}: expected (S, Y, X, C) and twice the "
            "channels."
        )
    if value_manipulation not in blind_spots.MANIPULATORS:
        raise ValueError(
            f"value_manipulation={value_manipulation!r}: expected one of "
            f"{', '.join(blind_spots.MANIPULATORS)}."
        )
    channels = X_val.shape[-1]
    Y_val[...] = 0
    for number, patch in enumerate(X_val):
        seed = streams.fold(tf.constant([0, number]), streams.TensorStream.N2V_VALIDATION)
        spots = masking.draw_spots(patch.shape[:-1], perc_pix, seed)
        for channel in range(channels):
            values = np.float32(patch[..., channel])  # a copy, for the patch is changed
            hidden, kept = masking.mask(
                tf.constant(values),
                perc_pix,
                value_manipulation,
                radius,
                tf.random.fold_in(seed, channel),
                spots=spots,
            )
            kept = np.asarray(kept)
            Y_val[number, ..., channel] = np.where(kept, values, 0)
            Y_val[number, ..., channels + channel] = kept
            patch[..., channel] = hidden
