"""ssdn_tf.network: blindness for any weights and size; its outputs are in the cross-check."""

import keras
import numpy as np
import pytest

from ssdn_tf import configs, denoiser, network

RNG = np.random.default_rng(0)


def randomised(model):
    """The same model with every weight random, biases too."""
    for variable in model.weights:
        variable.assign(0.3 * RNG.standard_normal(variable.shape) / variable.shape[-1] ** 0.5)
    return model


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(32, 64), (37, 53), (33, 33), (5, 41)])
def test_no_pixel_ever_reaches_its_own_output(channels, size):
    model = randomised(denoiser.Denoiser(configs.Config(channels=channels)))
    height, width = size
    image = RNG.random((1, height, width, channels), np.float32)
    # Corners, edges, middle, and all around the place where the padding begins.
    rows = sorted({0, 1, height // 2, height - 3, height - 2, height - 1})
    columns = sorted({0, 1, width // 2, width - 3, width - 2, width - 1})
    pixels = [(y, x) for y in rows for x in columns]
    unchanged = np.repeat(image, len(pixels), axis=0)
    changed = unchanged.copy()
    for i, (y, x) in enumerate(pixels):
        changed[i, y, x] += 1.0
    # The same batch size twice, for the order of a sum may depend on it.
    before, after = (model.predict_on_batch(batch)["mean"] for batch in (unchanged, changed))
    for i, (y, x) in enumerate(pixels):
        moved = np.abs(after[i] - before[i]).max(axis=-1)
        assert moved[y, x] == 0.0, (y, x)  # exactly: not small, absent
        assert np.count_nonzero(moved) > 0.5 * moved.size  # and the network is not dead


def test_the_plain_network_sees_the_pixel_itself():
    net = randomised(network.build_network(1, outputs=1, blindspot=False))
    image = RNG.random((1, 32, 32, 1), np.float32)
    changed = image.copy()
    changed[0, 16, 9] += 1.0
    assert np.abs(np.asarray(net(image)) - np.asarray(net(changed)))[0, 16, 9] > 1e-6


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_the_blind_spot_network_knows_no_direction_but_by_its_1x1_layers(turns):
    """Turning the image permutes the branches: with equal weights for them the output turns."""
    net = randomised(network.build_network(1, outputs=1))
    kernel = np.asarray(net.get_layer("nin_a").kernel)
    mean = kernel.reshape(1, 1, 4, 96, 384).mean(axis=2, keepdims=True)
    net.get_layer("nin_a").kernel.assign(
        np.broadcast_to(mean, (1, 1, 4, 96, 384)).reshape(kernel.shape)
    )
    image = RNG.random((1, 32, 64, 1), np.float32)
    turned = np.asarray(net(np.rot90(image, turns, axes=(1, 2))))
    np.testing.assert_allclose(
        turned, np.rot90(np.asarray(net(image)), turns, axes=(1, 2)), atol=1e-5
    )


def test_initial_weights_follow_the_seed_and_the_papers_deviation():
    a, b, c = (network.build_network(3, outputs=9, seed=s) for s in (1, 1, 2))
    for x, y, z in zip(a.weights, b.weights, c.weights):
        np.testing.assert_array_equal(x, y)
        if "kernel" in x.name:
            assert not np.array_equal(x, z)
    kernel = np.asarray(a.get_layer("dec_conv5b").kernel)
    assert kernel.std() == pytest.approx((2 / (9 * 96)) ** 0.5, rel=0.02)
    assert np.abs(kernel).max() > 3.5 * kernel.std()  # not cut off
    last = np.asarray(a.get_layer("nin_c").kernel)
    assert last.std() == pytest.approx((1 / 96) ** 0.5, rel=0.1)
    assert not np.array_equal(a.get_layer("enc_conv2").kernel, a.get_layer("enc_conv3").kernel)


def test_bfloat16_is_close_to_float32_and_keeps_float32_weights():
    exact = network.build_network(1, outputs=2, seed=3)
    coarse = network.build_network(1, outputs=2, seed=3, dtype="mixed_bfloat16")
    coarse.set_weights(exact.get_weights())
    assert {w.dtype for w in coarse.weights} == {"float32"}
    assert coarse.get_layer("dec_conv1b").compute_dtype == "bfloat16"
    image = RNG.random((1, 32, 32, 1), np.float32)
    output = coarse(image)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    np.testing.assert_allclose(output, exact(image), atol=0.05)


@pytest.mark.parametrize("channels", [1, 3])
def test_turned_kernels_give_the_same_as_turned_images(channels):
    model = randomised(denoiser.Denoiser(configs.Config(channels=channels, noise_params="global")))
    image = RNG.random((2, 32, 96, channels), np.float32)
    expected = model.network(image)
    portable = model.portable()
    assert len(portable.network.weights) == 2 * (4 * 17 + 3)
    for net in (model.directional, portable.network):
        np.testing.assert_allclose(net(image), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(portable.raw_noise, model.raw_noise)


def test_large_images_are_restored_a_direction_at_a_time(monkeypatch):
    model = randomised(denoiser.Denoiser(configs.Config(channels=1)))
    image = RNG.random((1, 37, 70, 1), np.float32)
    small = model.predict_on_batch(image)
    monkeypatch.setattr(denoiser, "SMALL", 37 * 70 - 1)
    monkeypatch.setattr(model, "network", None)
    model.make_predict_function(force=True)
    for name, values in model.predict_on_batch(image).items():
        np.testing.assert_allclose(values, small[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("gigabytes", [0.1, 0.5, 1.0, 1.9, 2.0, 8.0])
def test_memory_is_kept_to_on_both_sides_of_the_change(gigabytes):
    pixels = denoiser.Denoiser(configs.Config(channels=1)).pixels_in(gigabytes)
    needed = denoiser.AT_ONCE * min(pixels, denoiser.SMALL), denoiser.IN_TURN * pixels
    assert 0.9 * gigabytes * 1e9 < max(needed) <= gigabytes * 1e9
