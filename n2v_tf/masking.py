"""Blind spots: which pixels the loss looks at, and what the network sees in their place.

TensorFlow operations for the data pipeline, each a pure function of its seed; patches are
standardised, of one channel, (H, W) or (D, H, W). tests/golden/n2v_masking.npz.
"""

import numpy as np
import tensorflow as tf

from common.data import streams
from common.data.streams import MaskStream
from n2v_tf import blind_spots

SCATTER = 4.0  # pixels, standard deviation of normal_withoutCP's offsets
TRIES = 8  # for an offset that is not the centre
STRUCT_RANGE = 2.0  # of the values that replace structured noise, in standard deviations


def draw_spots(shape, perc_pix, seed):
    """Places of blind spots by stratified sampling: one in every box, those outside dropped.

    Args:
        shape: (H, W) or (D, H, W), Python integers.
        perc_pix: per cent; in 3D, where boxes are cubes of the same side, far fewer come.
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
    """`mask` with blind spots of their own in every channel of (.., C): (patch, where), (.., C)."""
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
    """Hides blind spots: (patch with other values there, (.., ..) bool, where they are).

    Args:
        patch: (H, W) or (D, H, W) float, its sides known.
        perc_pix: as in `draw_spots`.
        manipulator: a key of `MANIPULATORS`.
        radius: of the neighbourhood that values are taken from, pixels.
        seed: (2,) int32.
        struct: None, or what `blind_spots.struct_offsets` gives: pixels around every spot that
            get random values too, uniform in [-2, 2], because their noise tells about the spot's
            (Broaddus et al. 2020). The loss does not look at them.
        spots: (n, 2) or (n, 3) int32; drawn if None.
    """
    shape = patch.shape.as_list()
    if spots is None:
        spots = draw_spots(shape, perc_pix, streams.fold(seed, MaskStream.SPOTS))
    # All values are taken before any is written: a neighbour may be a blind spot itself.
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
    """(m, 2) or (m, 3): pixels at the offsets around each spot, beyond the border moved onto it."""
    places = spots[:, None, :] + offsets
    return tf.reshape(tf.clip_by_value(places, 0, np.array(shape, np.int32) - 1), (-1, len(shape)))


def _window(shape, spots, radius):
    """First and last place, (n, 2 or 3), of each spot's neighbourhood, cut off at the border."""
    last = np.array(shape, np.int32) - 1
    return tf.maximum(spots - radius, 0), tf.minimum(spots + radius, last)


def _neighbours(patch, spots, radius):
    """Values of each spot's neighbourhood, its centre too: (n, m), and which of them exist."""
    shape = patch.shape.as_list()
    around = np.indices([2 * radius + 1] * len(shape)).reshape(len(shape), -1).T - radius
    places = spots[:, None, :] + around.astype(np.int32)
    last = np.array(shape, np.int32) - 1
    exists = tf.reduce_all((places >= 0) & (places <= last), axis=-1)
    return tf.gather_nd(patch, tf.clip_by_value(places, 0, last)), exists


def _mean_where(values, chosen):
    weights = tf.cast(chosen, values.dtype)
    return tf.math.divide_no_nan(
        tf.reduce_sum(weights * values, axis=-1), tf.reduce_sum(weights, axis=-1)
    )


def _others(exists):
    """`exists` without the centre."""
    centre = exists.shape[-1] // 2
    return exists & (np.arange(exists.shape[-1]) != centre)


def uniform_with_centre(patch, spots, radius, seed):
    """Any pixel of the neighbourhood, the spot itself too."""
    first, last = _window(patch.shape.as_list(), spots, radius)
    share = tf.random.stateless_uniform(tf.shape(spots), seed)
    count = tf.cast(last - first + 1, tf.float32)
    drawn = first + tf.cast(share * count, tf.int32)
    return tf.gather_nd(patch, tf.minimum(drawn, last))


def uniform_without_centre(patch, spots, radius, seed):
    """Any pixel of the neighbourhood but the spot itself."""
    shape = patch.shape.as_list()
    first, last = _window(shape, spots, radius)
    sizes = last - first + 1
    strides = tf.math.cumprod(sizes, axis=-1, exclusive=True, reverse=True)
    count = tf.reduce_prod(sizes, axis=-1) - 1
    share = tf.random.stateless_uniform(tf.shape(count), seed)
    drawn = tf.minimum(tf.cast(share * tf.cast(count, tf.float32), tf.int32), count - 1)
    centre = tf.reduce_sum((spots - first) * strides, axis=-1)
    # Places are counted through the window; those from the centre on move up by one.
    drawn = tf.maximum(drawn + tf.cast(drawn >= centre, tf.int32), 0)
    return tf.gather_nd(patch, first + drawn[:, None] // strides % sizes)


def normal_without_centre(patch, spots, radius, seed):
    """A pixel at a normal offset of 4 pixels' deviation, whatever the radius; not the spot itself.

    The original means to leave the spot out and does not: it takes it in 1 of 100 cases, in a
    corner in 30.
    """
    shape = patch.shape.as_list()
    top = np.array(shape, np.int32) - 1
    draws = tf.concat([[TRIES], tf.shape(spots)], axis=0)
    offsets = tf.cast(tf.round(SCATTER * tf.random.stateless_normal(draws, seed)), tf.int32)
    places = tf.clip_by_value(spots + offsets, 0, top)
    elsewhere = tf.reduce_any(places != spots, axis=-1)
    # The pixel beside it, should none of the draws be another.
    beside = tf.where(spots[:, -1:] < top[-1], spots[:, -1:] + 1, tf.maximum(spots[:, -1:] - 1, 0))
    chosen = tf.concat([spots[:, :-1], beside], axis=-1)
    for i in reversed(range(TRIES)):
        chosen = tf.where(elsewhere[i][:, None], places[i], chosen)
    return tf.gather_nd(patch, chosen)


def normal_additive(patch, spots, radius, seed):
    """The spot's value plus normal noise whose deviation is the radius, in standard deviations."""
    values = tf.gather_nd(patch, spots)
    return values + radius * tf.random.stateless_normal(tf.shape(values), seed, dtype=patch.dtype)


def normal_fitted(patch, spots, radius, seed):
    """A draw from the normal distribution with the neighbourhood's mean and deviation."""
    values, exists = _neighbours(patch, spots, radius)
    mean = _mean_where(values, exists)
    variance = _mean_where(tf.square(values - mean[:, None]), exists)
    drawn = tf.random.stateless_normal(tf.shape(mean), seed, dtype=patch.dtype)
    return mean + tf.sqrt(variance) * drawn


def mean(patch, spots, radius, seed):
    """The mean of the neighbourhood without the spot."""
    values, exists = _neighbours(patch, spots, radius)
    return _mean_where(values, _others(exists))


def median(patch, spots, radius, seed):
    """The median of the neighbourhood without the spot."""
    values, exists = _neighbours(patch, spots, radius)
    others = _others(exists)
    count = tf.reduce_sum(tf.cast(others, tf.int32), axis=-1)
    ordered = tf.sort(tf.where(others, values, patch.dtype.max), axis=-1)
    middles = [
        tf.gather(ordered, tf.maximum(i, 0), batch_dims=1) for i in ((count - 1) // 2, count // 2)
    ]
    return (middles[0] + middles[1]) / 2


def identity(patch, spots, radius, seed):
    """The spot's own value: nothing is hidden."""
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
