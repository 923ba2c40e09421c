"""common.schedules beyond the golden values."""

import keras
import numpy as np

from common import schedules


def test_the_optimisers_schedule_is_the_formula():
    rate = schedules.Ramped(num_images=1000, batch_size=4, learning_rate=3e-4)
    steps = np.arange(0, 250, 7)
    ours = [float(rate(keras.ops.convert_to_tensor(int(step)))) for step in steps]
    expected = [schedules.ramped_rate(4.0 * step, 1000.0, 3e-4) for step in steps]
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-10)
    assert expected[0] == 0.0
    assert max(expected) == 3e-4


def test_the_exponent_on_tensors_is_that_on_floats():
    for images in (0.0, 300.0, 750.0, 1000.0):
        tensor = schedules.annealed_exponent(keras.ops.convert_to_tensor(images), 1000.0)
        assert abs(float(tensor) - schedules.annealed_exponent(images, 1000.0)) < 1e-6
    assert schedules.annealed_exponent(900.0, 1000.0) == 0.5
