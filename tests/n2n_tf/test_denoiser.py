"""n2n_tf.denoiser: every named configuration trains and restores; each loss is the one it says."""

import dataclasses

import numpy as np
import pytest

from common.training import loop, schedules
from n2n_tf import configs, denoiser
from n2n_tf.method import METHOD

RNG = np.random.default_rng(0)


def batch(size=32, channels=3):
    clean = RNG.random((2, size, size, channels), np.float32)
    noisy, target = (
        clean + 0.1 * RNG.standard_normal(clean.shape).astype(np.float32) for _ in range(2)
    )
    x = {"noisy": noisy, "noise_level": np.full((2,), 0.1, np.float32)}
    x["number"] = np.array([40, 41], np.float32)
    kept = (RNG.random((2, size, size, 1)) < 0.5).astype(np.float32)
    return x, {"target": target, "clean": clean, "kept": kept}


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in configs.NAMED if not n.endswith("long")])
def test_every_named_configuration_trains_a_step_and_restores(name):
    config = dataclasses.replace(configs.NAMED[name], num_images=100).completed()
    model = denoiser.Denoiser(config)
    optimizer = METHOD.optimizer(config)
    loop.compile_for_training(model, optimizer)
    model.run_eagerly = True
    x, y = batch()
    before = [np.array(weight) for weight in model.trainable_variables]
    logs = model.train_on_batch(x, y, return_dict=True)
    assert np.isfinite(logs["loss"]) and np.isfinite(logs["psnr"])
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.trainable_variables))
    result = model(x)
    assert set(result) == {"denoised"}
    assert result["denoised"].shape == x["noisy"].shape


@pytest.mark.parametrize("network", ["unet", "nn_relu", "convtrans_sigmoid"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (31, 33), (64, 32)])
def test_images_of_any_size_keep_their_size(network, size):
    model = denoiser.Denoiser(configs.Config(network=network))
    image = RNG.random((1, *size, 3), np.float32)
    denoised = model.predict_on_batch(image)["denoised"]
    assert denoised.shape == image.shape
    assert np.isfinite(denoised).all()


def test_the_loss_is_the_noises():
    x, y = batch(4)
    restored = {"denoised": x["noisy"]}
    d = x["noisy"].astype(np.float64) - y["target"]
    kept = np.broadcast_to(y["kept"], d.shape)
    expected = {
        "gauss25": np.mean(d**2),
        "text25": np.mean(np.abs(d)),
        "bernoulli50": np.sum(kept * d**2) / np.sum(kept),
        # 40 of 100 images shown.
        "impulse50": np.mean((np.abs(d) + 1e-8) ** schedules.annealed_exponent(40.0, 100.0)),
    }
    for noise, value in expected.items():
        config = configs.Config(noise=noise, num_images=100).completed()
        model = denoiser.Denoiser(config)
        loss = model.compute_loss(x, y, restored)
        np.testing.assert_allclose(loss, value, rtol=1e-5, err_msg=noise)


def test_noise2noise_learns_the_mean_of_its_targets():
    """The claim itself, on one pixel value: targets of mean 0.3 pull the output there."""
    config = configs.Config(
        noise="gauss25", network="nn_sigmoid", learning_rate=2.0, num_images=1000, channels=1
    ).completed()
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    x = {"noisy": np.full((8, 32, 32, 1), 0.5, np.float32), "number": np.zeros(8, np.float32)}
    rng = np.random.default_rng(0)  # of its own: what ran before has drawn from the other
    for _ in range(60):
        target = 0.3 + 0.2 * rng.standard_normal(x["noisy"].shape).astype(np.float32)
        model.train_on_batch(x, {"target": target, "clean": x["noisy"]})
    assert model.predict_on_batch(x)["denoised"].mean() == pytest.approx(0.3, abs=0.02)
