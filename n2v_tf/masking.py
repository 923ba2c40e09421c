"""Blind spots: the pixels on which the loss is computed, and the values the network sees there.

All functions are TensorFlow operations for the data pipeline and pure functions of their seed.
Patches are standardised and have one channel: (H, W) or (D, H, W). The values and their statistics
are those of the original: tests/golden/n2v_masking.npz.
"""

import numpy as np
import tensorflow as tf

from common.data import streams
from common.data.streams import MaskStream
from n2v_tf import blind_spots

SCATTER = 4.0  # standard deviation of normal_withoutCP's offsets, pixels
TRIES = 8  # draws for an offset that is not the centre
STRUCT_RANGE = 2.0  # largest value that replaces structured noise, in standard deviations


def draw_spots(shape, perc_pix, seed):
    """Draws the places of blind spots by stratified sampling: one in every box.

    Spots of boxes at the border that fall outside the patch are dropped.

    Args:
        shape: (H, W) or (D, H, W), Python integers.
        perc_pix: blind spots in per cent of the pixels of a 2D patch; a 3D patch gets far fewer,
            because its boxes are cubes of the same side.
        seed: (2,) int32.

    Returns:
        (n, 2) or (n, 3) int32.
    """
    side = blind_spots.box_side(perc_pix)
    corners = np.indices([-(-n // side) for n in shape]).reshape(len(shape), -1).T * side
    inside = tf.random.stateless_uniform(corners.shape, seed, maxval=side, dtype=tf.int32)
    places = corners.astype(np.int32) + inside
    return tf.boolean_mask(places, tf.reduce_all(places < shape, axis=-1))


def mask_channels(patch, perc_pix, manipulator, radius, seed, *, struct=None):
    """Applies `mask` to every channel of a patch (..., C), each with its own blind spots.

    Args:
        patch: (H, W, C) or (D, H, W, C) float, its shape known.
        perc_pix, manipulator, radius, seed, struct: see `mask`.

    Returns:
        (patch with other values in the blind spots, bool tensor of where they are), both (..., C).
    """
    hidden, kept = zip(
        *(
            mask(
                patch[..., channel],
                perc_pix,
                manipulator,
                radius,
                tf.random.fold_in(seed, channel),
                struct=struct,
            )
            for channel in range(patch.shape[-1])
        )
    )
    return tf.stack(hidden, axis=-1), tf.stack(kept, axis=-1)


def mask(patch, perc_pix, manipulator, radius, seed, *, struct=None, spots=None):
    """Replaces the values of blind spots.

    Args:
        patch: (H, W) or (D, H, W) float, its shape known.
        perc_pix: see `draw_spots`.
        manipulator: a key of `MANIPULATORS`.
        radius: radius of the neighbourhood from which values are taken, pixels.
        seed: (2,) int32.
        struct: offsets of blind_spots.struct_offsets, or None. Pixels at these offsets from a spot
            get random values too, uniform in [-2, 2], because their noise is correlated with that
            of the spot (Broaddus et al. 2020). The loss ignores them.
        spots: (n, 2) or (n, 3) int32, the blind spots; None to draw them.

    Returns:
        (patch with other values in the blind spots, bool tensor of where they are), both with the
        shape of `patch`.
    """
    shape = patch.shape.as_list()
    if spots is None:
        spots = draw_spots(shape, perc_pix, streams.fold(seed, MaskStream.SPOTS))
    # All values are taken before any is written, because a neighbour may be a blind spot itself.
    values = MANIPULATORS[manipulator](patch, spots, radius, streams.fold(seed, MaskStream.VALUES))
    hidden = tf.tensor_scatter_nd_update(patch, spots, values)
    if struct is not None:
        places = struct_places(shape, spots, struct)
        drawn = tf.random.stateless_uniform(
            tf.shape(places)[:1],
            streams.fold(seed, MaskStream.STRUCTURE),
            -STRUCT_RANGE,
            STRUCT_RANGE,
        )
        hidden = tf.tensor_scatter_nd_update(hidden, places, tf.cast(drawn, patch.dtype))
    ones = tf.ones(tf.shape(spots)[:1], tf.bool)
    return hidden, tf.scatter_nd(spots, ones, shape)


def struct_places(shape, spots, offsets):
    """Pixels at the given offsets from each spot: (m, 2) or (m, 3) int32.

    Pixels outside the patch are moved to its border.

    Args:
        shape: sides of the patch.
        spots: (n, 2) or (n, 3) int32.
        offsets: (k, 2) or (k, 3) int32.
    """
    places = spots[:, None, :] + offsets
    return tf.reshape(tf.clip_by_value(places, 0, np.array(shape, np.int32) - 1), (-1, len(shape)))


def _window(shape, spots, radius):
    """First and last place of each spot's neighbourhood, (n, 2) or (n, 3), inside the patch."""
    last = np.array(shape, np.int32) - 1
    return tf.maximum(spots - radius, 0), tf.minimum(spots + radius, last)


def _neighbours(patch, spots, radius):
    """Values of each spot's neighbourhood with its centre: (n, m), and which lie in the patch."""
    shape = patch.shape.as_list()
    around = np.indices([2 * radius + 1] * len(shape)).reshape(len(shape), -1).T - radius
    places = spots[:, None, :] + around.astype(np.int32)
    last = np.array(shape, np.int32) - 1
    exists = tf.reduce_all((places >= 0) & (places <= last), axis=-1)
    return tf.gather_nd(patch, tf.clip_by_value(places, 0, last)), exists


def _mean_where(values, chosen):
    """Mean of each row of `values` (n, m) over the entries that are chosen; 0 if none is."""
    weights = tf.cast(chosen, values.dtype)
    return tf.math.divide_no_nan(
        tf.reduce_sum(weights * values, axis=-1), tf.reduce_sum(weights, axis=-1)
    )


def _others(exists):
    """Which neighbours exist, (n, m), without the centre."""
    centre = exists.shape[-1] // 2
    return exists & (np.arange(exists.shape[-1]) != centre)


def uniform_with_centre(patch, spots, radius, seed):
    """Values of random pixels of each neighbourhood, the spot itself included: (n,).

    patch, spots, radius, seed: see `mask`; the same for all manipulators below.
    """
    first, last = _window(patch.shape.as_list(), spots, radius)
    share = tf.random.stateless_uniform(tf.shape(spots), seed)
    count = tf.cast(last - first + 1, tf.float32)
    drawn = first + tf.cast(share * count, tf.int32)
    return tf.gather_nd(patch, tf.minimum(drawn, last))


def uniform_without_centre(patch, spots, radius, seed):
    """Values of random pixels of each neighbourhood, without the spot itself: (n,)."""
    shape = patch.shape.as_list()
    first, last = _window(shape, spots, radius)
    sizes = last - first + 1
    strides = tf.math.cumprod(sizes, axis=-1, exclusive=True, reverse=True)
    count = tf.reduce_prod(sizes, axis=-1) - 1
    share = tf.random.stateless_uniform(tf.shape(count), seed)
    drawn = tf.minimum(tf.cast(share * tf.cast(count, tf.float32), tf.int32), count - 1)
    centre = tf.reduce_sum((spots - first) * strides, axis=-1)
    # Numbers of places in the window, row by row; the number of the centre is skipped.
    drawn = tf.maximum(drawn + tf.cast(drawn >= centre, tf.int32), 0)
    return tf.gather_nd(patch, first + drawn[:, None] // strides % sizes)


def normal_without_centre(patch, spots, radius, seed):
    """Values of pixels at normally distributed offsets, without the spot itself: (n,).

    The standard deviation of the offsets is 4 pixels, whatever the radius. The original intends to
    leave the spot out, but takes it in 1 of 100 cases, and in 30 of 100 in a corner.
    """
    shape = patch.shape.as_list()
    top = np.array(shape, np.int32) - 1
    draws = tf.concat([[TRIES], tf.shape(spots)], axis=0)
    offsets = tf.cast(tf.round(SCATTER * tf.random.stateless_normal(draws, seed)), tf.int32)
    places = tf.clip_by_value(spots + offsets, 0, top)
    elsewhere = tf.reduce_any(places != spots, axis=-1)
    # If all draws hit the spot itself, the pixel beside it is taken.
    beside = tf.where(spots[:, -1:] < top[-1], spots[:, -1:] + 1, tf.maximum(spots[:, -1:] - 1, 0))
    chosen = tf.concat([spots[:, :-1], beside], axis=-1)
    for i in reversed(range(TRIES)):
        chosen = tf.where(elsewhere[i][:, None], places[i], chosen)
    return tf.gather_nd(patch, chosen)


def normal_additive(patch, spots, radius, seed):
    """Values of the spots plus normal noise: (n,); its standard deviation is the radius.

    The radius is then in units of the standardised patch, not in pixels.
    """
    values = tf.gather_nd(patch, spots)
    return values + radius * tf.random.stateless_normal(tf.shape(values), seed, dtype=patch.dtype)


def normal_fitted(patch, spots, radius, seed):
    """Draws from normal distributions with mean and deviation of each neighbourhood: (n,)."""
    values, exists = _neighbours(patch, spots, radius)
    mean = _mean_where(values, exists)
    variance = _mean_where(tf.square(values - mean[:, None]), exists)
    drawn = tf.random.stateless_normal(tf.shape(mean), seed, dtype=patch.dtype)
    return mean + tf.sqrt(variance) * drawn


def mean(patch, spots, radius, seed):
    """Means of the neighbourhoods without the spots: (n,)."""
    values, exists = _neighbours(patch, spots, radius)
    return _mean_where(values, _others(exists))


def median(patch, spots, radius, seed):
    """Medians of the neighbourhoods without the spots: (n,)."""
    values, exists = _neighbours(patch, spots, radius)
    others = _others(exists)
    count = tf.reduce_sum(tf.cast(others, tf.int32), axis=-1)
    ordered = tf.sort(tf.where(others, values, patch.dtype.max), axis=-1)
    middles = [
        tf.gather(ordered, tf.maximum(i, 0), batch_dims=1) for i in ((count - 1) // 2, count // 2)
    ]
    return (middles[0] + middles[1]) / 2


def identity(patch, spots, radius, seed):
    """Values of the spots themselves: nothing is hidden."""
    return tf.gather_nd(patch, spots)


# In the order of blind_spots.MANIPULATORS.
MANIPULATORS = {
    "uniform_withCP": uniform_with_centre,
    "uniform_withoutCP": uniform_without_centre,
    "normal_withoutCP": normal_without_centre,
    "normal_additive": normal_additive,
    "normal_fitted": normal_fitted,
    "mean": mean,
    "median": median,
    "identity": identity,
}
