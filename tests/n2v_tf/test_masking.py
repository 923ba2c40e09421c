"""n2v_tf.masking: what is hidden and what is not; the original's values: test_crosscheck."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from n2v_tf import blind_spots, masking

SEED = [3, 4]
SHAPES = [(24, 40), (6, 16, 20)]


def patch(shape):
    """Values that tell the pixels they stand on, in no order."""
    values = np.random.default_rng(0).permutation(int(np.prod(shape)))
    return tf.constant(values.reshape(shape).astype(np.float32))


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    perc=st.sampled_from([0.2, 1.5, 11.0, 100.0]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_every_box_has_at_most_one_spot(height, width, perc, seed):
    spots = masking.draw_spots((height, width), perc, [seed, 0]).numpy()
    side = blind_spots.box_side(perc)
    boxes = {tuple(spot // side) for spot in spots}
    assert len(boxes) == len(spots) <= -(-height // side) * -(-width // side)
    assert all((spot >= 0).all() and (spot < (height, width)).all() for spot in spots)
    if height % side == width % side == 0:
        assert len(spots) == height * width // side**2


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("manipulator", masking.MANIPULATORS)
def test_only_blind_spots_change_and_always_alike(shape, manipulator):
    image = patch(shape)
    hidden, where = masking.mask(image, 5.0, manipulator, 2, SEED)
    again, _ = masking.mask(image, 5.0, manipulator, 2, SEED)
    np.testing.assert_array_equal(hidden, again)
    other, _ = masking.mask(image, 5.0, manipulator, 2, [3, 5])
    changed = hidden.numpy() != image.numpy()
    assert not (changed & ~where.numpy()).any()
    if manipulator == "identity":
        assert not changed.any()
    else:
        assert changed.sum() >= 0.8 * where.numpy().sum()
        assert (hidden.numpy() != other.numpy()).any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["uniform_withoutCP", "normal_withoutCP"])
def test_the_spots_own_value_is_never_taken(shape, name):
    image = patch(shape)
    spots = np.argwhere(np.ones(shape)).astype(np.int32)  # corners and edges too
    for seed in range(20):
        taken = masking.MANIPULATORS[name](image, spots, 1, [seed, 0]).numpy()
        assert not np.any(taken == image.numpy().ravel())


def test_a_patch_of_one_pixel_is_no_error():
    for name, function in masking.MANIPULATORS.items():
        values = function(patch((1, 1)), np.zeros((1, 2), np.int32), 2, SEED)
        assert values.shape == (1,), name


def test_structured_noise_is_hidden_but_not_looked_at():
    image = tf.constant(np.full((16, 32), 9.0, np.float32))
    offsets = blind_spots.struct_offsets(np.ones((1, 5)))
    assert offsets.tolist() == [[0, -2], [0, -1], [0, 1], [0, 2]]
    spots = np.array([[4, 10]], np.int32)
    hidden, where = masking.mask(image, 1.5, "identity", 2, SEED, struct=offsets, spots=spots)
    changed = np.argwhere(hidden.numpy() != 9.0)
    assert changed.tolist() == [[4, 8], [4, 9], [4, 11], [4, 12]]
    assert np.abs(hidden.numpy()[4, [8, 9, 11, 12]]).max() <= masking.STRUCT_RANGE
    assert np.argwhere(where.numpy()).tolist() == [[4, 10]]
