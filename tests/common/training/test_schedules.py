"""common.schedules beyond the golden values."""

import math

import keras
import numpy as np
import pytest

from common.training import schedules
from ssdn_tf import configs


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


def test_ramps_of_the_optimisers_schedule():
    """Noise2Noise's: no ramp up, down over the last half."""
    settings = {"num_images": 400, "batch_size": 4, "learning_rate": 1e-3}
    rate = schedules.Ramped(**settings, ramp_up=0.0, ramp_down=0.5)
    assert float(rate(0)) == float(rate(49)) == np.float32(1e-3)
    expected = schedules.ramped_rate(300.0, 400.0, 1e-3, 0.0, 0.5)
    np.testing.assert_allclose(float(rate(75)), expected, rtol=1e-5)
    assert schedules.Ramped(**rate.get_config())(75) == rate(75)


def test_halvings_fall_on_the_step():
    rate = schedules.Halved(num_images=70, batch_size=2, learning_rate=1.0, times=6)
    assert [float(rate(step)) for step in range(36)] == [0.5 ** min(s // 5, 6) for s in range(36)]


def test_a_function_of_the_epoch():
    rate = schedules.ByEpoch(lambda e: e * e, num_images=1200, batch_size=2, scale=2.0, epochs=300)
    for step in (0, 1, 2, 19, 20, 300, 539, 541, 599):
        assert float(rate(step)) == 2.0 * (step // 2) ** 2


def test_the_fast_rate_warms_up_and_falls_as_half_a_cosine():
    rate = schedules.Cosine(0.5, warm_up=0.02, corners=[(0, 0.0), (500, 1.0)])
    for step, share in {0: 0.0, 5: 0.5, 10: 1.0, 250: 1.0, 500: 1.0, 600: 1.0}.items():
        falling = 0.5 + math.cos(math.pi * min(step / 500, 1.0)) / 2
        assert float(rate(step)) == pytest.approx(0.5 * share * falling, abs=1e-6)


def test_where_crops_grow_the_fast_rate_counts_pixels():
    config = configs.Config(
        schedule="fast", num_images=1000, batch_size=2, crop_size=32, crop_growth=4
    )
    corners = config.completed().share_corners()
    assert [share for _, share in corners] == pytest.approx([0, 0.5, 0.85, 1.0])
    rate = schedules.Cosine(1.0, warm_up=0.02, corners=corners)
    for step, share in corners[1:]:
        assert float(rate(step)) == pytest.approx(0.5 + math.cos(math.pi * share) / 2, abs=1e-6)
    middle = (corners[1][0] + corners[2][0]) / 2
    assert float(rate(middle)) == pytest.approx(0.5 + math.cos(math.pi * 0.675) / 2, abs=1e-6)


def test_the_average_forgets_by_shares_of_the_training():
    kept = schedules.Forgetting(0.1, corners=[(0, 0.0), (50, 0.5), (60, 1.0)])
    products = [
        math.prod(float(kept(step)) for step in range(a, a + n)) for a, n in ((1, 10), (51, 2))
    ]
    assert products == pytest.approx([math.exp(-1)] * 2, rel=1e-5)
