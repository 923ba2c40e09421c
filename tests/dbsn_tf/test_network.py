"""dbsn_tf.network against the original's outputs, and blind at any size."""

import numpy as np
import pytest

from dbsn_tf import mwcnn, network
from scripts.check import golden_files

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["dbsn_gray", "dbsn_color"])
@pytest.mark.parametrize("case", ["mask", "trimmed_nobias"])
def test_mean_and_features_are_the_originals(name, case):
    arrays, meta = golden_files.load(name)
    blind, _, no_bias = case.partition("_")
    settings = {"width": 12, "blind": blind, "has_bias": not no_bias}
    net = network.build_backbone(arrays["noisy"].shape[-1], **settings)
    golden_files.set_weights(net, meta[f"backbone_{case}"])
    for ours, part in zip(net(arrays["noisy"]), ("mu", "features"), strict=True):
        theirs = arrays[f"backbone_{case}/{part}"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * theirs.std())


@pytest.mark.parametrize("blind", ["mask", "trimmed"])
@pytest.mark.parametrize(("height", "width"), [(33, 64), (47, 35)])
def test_a_pixel_never_reaches_its_own_output(blind, height, width):
    net = network.build_backbone(1, width=6, blocks=3, blind=blind, seed=0)
    for layer in net.layers:  # the centre of a kernel must not matter, whatever is stored there
        if isinstance(layer, network.MaskedConv2D):
            layer.kernel.assign(RNG.normal(size=layer.kernel.shape))
    image = RNG.random((1, height, width, 1), np.float32)
    for y, x in ((height // 2, width // 2), (0, 0), (height - 1, 3)):
        changed = image.copy()
        changed[0, y, x] += 1.0
        moved = np.abs(np.asarray(net(image)[0]) - np.asarray(net(changed)[0]))[0, ..., 0]
        assert moved[y, x] == 0.0  # exactly: not small, absent
        assert np.count_nonzero(moved) > 20  # and the test would notice a dead network


def test_the_radius_is_how_far_a_pixel_sees():
    net = network.build_backbone(1, width=4, seed=1)
    side = 2 * network.receptive_radius() + 21
    image = np.zeros((1, side, side, 1), np.float32)
    changed = image.copy()
    changed[0, side // 2, side // 2] = 1.0
    moved = np.asarray(net(image)[0]) != np.asarray(net(changed)[0])
    rows = np.flatnonzero(moved.any(axis=(0, 2, 3)))
    reach = max(side // 2 - rows.min(), rows.max() - side // 2)
    assert 0.8 * network.receptive_radius() < reach <= network.receptive_radius()


def test_a_variance_depends_on_its_own_pixel_alone():
    net = network.build_variance_network(3, 3, depth=5, width=8)
    image = RNG.random((1, 5, 6, 3), np.float32)
    changed = image.copy()
    changed[0, 2, 3] += 1.0
    moved = np.asarray(net(image)) != np.asarray(net(changed))
    assert moved[0, 2, 3].any() and moved.any(axis=-1).sum() == 1


def test_mwcnn_is_the_originals():
    arrays, meta = golden_files.load("dbsn_gray")
    net = mwcnn.build_network(1)
    golden_files.set_weights(net, meta["mwcnn"])
    theirs = arrays["mwcnn/output"]
    np.testing.assert_allclose(
        net(arrays["mwcnn/input"]), theirs, rtol=1e-3, atol=1e-3 * theirs.std()
    )


def test_the_haar_transform_keeps_lengths_and_turns_back():
    image = RNG.random((2, 8, 6, 3), np.float32)
    transformed = np.asarray(mwcnn.haar(image))
    assert transformed.shape == (2, 4, 3, 12)
    assert np.square(transformed).sum() == pytest.approx(np.square(image).sum(), rel=1e-5)
    np.testing.assert_allclose(mwcnn.inverse_haar(transformed), image, atol=1e-6)
