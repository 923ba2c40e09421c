"""n2n_tf.network against the original's output, and the small networks against their table."""

import numpy as np
import pytest

from n2n_tf import configs, network
from scripts.check import golden_files

RNG = np.random.default_rng(0)


def test_output_is_the_originals():
    arrays, meta = golden_files.load("n2n_unet")  # 64 x 32 pixels: not square, on purpose
    net = network.build_network(3)
    golden_files.set_weights(net, meta)
    np.testing.assert_allclose(net(arrays["input"]), arrays["output"], rtol=1e-4, atol=2e-4)
    assert net.count_params() == meta["parameters"]


def test_the_seed_makes_the_weights():
    first, same, other = (network.build_network(1, seed=s).get_weights() for s in (0, 0, 1))
    for a, b in zip(first, same):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first, other))


@pytest.mark.parametrize("name", configs.SEQUENTIAL)
def test_sequential_networks_are_those_of_the_report(name):
    upsampling, final = name.split("_")
    net = network.build_sequential(3, upsampling=upsampling, final=final)
    kernel = 9 if upsampling == "nn" else 4
    down = (4 * 3 + 1) * 48 + (4 * 48 + 1) * 96
    assert net.count_params() == down + (kernel * 96 + 1) * 48 + (kernel * 48 + 1) * 3
    restored = np.asarray(net(4 * RNG.standard_normal((1, 8, 12, 3)).astype("float32")))
    assert restored.shape == (1, 8, 12, 3)
    assert (restored >= 0).all() and (final == "relu" or (restored < 1).all())
    assert restored.std() > 0
