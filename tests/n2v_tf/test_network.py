"""n2v_tf.network: how far a pixel sees, a network for each channel; golden: test_crosscheck."""

import numpy as np
import pytest

from n2v_tf import network
from ssdn_tf import network as ssdn_network

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("blurpool", [False, True])
@pytest.mark.parametrize(("depth", "kernel_size"), [(1, 3), (2, 3), (2, 5), (3, 3)])
def test_no_pixel_sees_further_than_the_radius_says(depth, kernel_size, blurpool):
    settings = {"depth": depth, "kernel_size": kernel_size, "blurpool": blurpool}
    net = network.build_network(1, width=4, batch_norm=False, skip_skipone=blurpool, **settings)
    radius = network.receptive_radius(depth, kernel_size, blurpool)
    side = 2 * -(-radius // 2**depth) * 2**depth + 4 * 2**depth
    image = RNG.standard_normal((1, 8, side, 1)).astype(np.float32)
    before = np.asarray(net(image))
    reached = []
    for place in (side // 2, side // 2 + 1, side // 2 + 3):
        changed = image.copy()
        changed[0, :, place] += 10.0
        moved = np.flatnonzero(np.abs(np.asarray(net(changed)) - before).max(axis=(0, 1, 3)) > 0)
        reached.append(max(place - moved.min(), moved.max() - place))
    assert max(reached) <= radius
    assert max(reached) >= radius - 2 * 2**depth  # no wild overestimate either


def test_channels_have_networks_of_their_own():
    net = network.build_network(3, width=4, kernel_size=3)
    image = RNG.standard_normal((1, 16, 16, 3)).astype(np.float32)
    before = np.asarray(net(image))
    image[..., 1] += RNG.standard_normal((1, 16, 16))
    changed = np.abs(np.asarray(net(image)) - before).max(axis=(0, 1, 2))
    assert changed[1] > 0
    np.testing.assert_array_equal(changed[[0, 2]], 0)


def test_bfloat16_gives_float32_out():
    net = network.build_network(1, width=4, blurpool=True, dtype="mixed_bfloat16")
    assert net(np.zeros((1, 8, 8, 1), np.float32)).dtype == "float32"
    assert net.weights[0].dtype == "float32"


def test_the_unet_of_laine_is_ssdns_plain_one():
    """tests/ssdn_tf compares that with the original's outputs."""
    ours = network.build_laine(3, seed=1)
    theirs = ssdn_network.build_network(3, outputs=3, blindspot=False, seed=1)
    image = np.random.default_rng(0).random((1, 32, 64, 3), np.float32)
    np.testing.assert_array_equal(ours(image), theirs(image))
    names = [[layer.name for layer in net.layers if layer.weights] for net in (ours, theirs)]
    assert names[0] == names[1]
