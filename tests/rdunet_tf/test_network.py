"""rdunet_tf.network against the original's output."""

import numpy as np
import pytest

from rdunet_tf import network
from scripts.check import golden_files

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("case", ["c1", "c3"])
def test_output_is_the_originals(case):
    arrays, meta = golden_files.load("rdunet")
    image = arrays[f"{case}/input"]
    net = network.build_network(image.shape[-1], width=16)
    golden_files.set_weights(net, meta[case])
    np.testing.assert_allclose(net(image), arrays[f"{case}/output"], rtol=2e-4, atol=5e-4)
    assert net.count_params() == meta[case]["parameters"]


def test_an_untrained_network_is_near_the_identity():
    image = RNG.random((1, 32, 40, 3), np.float32)
    change = np.asarray(network.build_network(3, width=8)(image)) - image
    assert 0 < change.std() < 0.5
