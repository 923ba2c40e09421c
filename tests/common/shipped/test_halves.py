"""common.shipped.halves: weights as files hold them."""

import numpy as np
import pytest

from common.shipped import halves

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(), (5,), (3, 3, 4, 2), (0, 2)])
def test_weights_come_back_as_float16_has_them(shape):
    weights = RNG.normal(0, 0.1, shape).astype(np.float32)
    planes = halves.split(weights)
    assert planes.shape == (2, *shape) and planes.dtype == np.uint8
    assert planes.flags.c_contiguous  # np.save would keep another order, and its pairs
    found = halves.joined(planes)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, weights.astype(np.float16))


def test_the_upper_bytes_come_first():
    np.testing.assert_array_equal(halves.split(np.float32([1.0, -2.0])), [[0x3C, 0xC0], [0, 0]])


@pytest.mark.parametrize("value", [7e4, -7e4, np.inf, np.nan])
def test_what_16_bits_cannot_hold_is_refused(value):
    with pytest.raises(OverflowError, match="16 bits can't hold"):
        halves.split(np.float32([0, value]))


@pytest.mark.parametrize("planes", [np.zeros((2, 3), np.float16), np.zeros((3, 2), np.uint8)])
def test_other_arrays_are_refused(planes):
    with pytest.raises(ValueError, match="no halves of weights"):
        halves.joined(planes)
