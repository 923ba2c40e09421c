"""ssdn_tf.denoiser: every named configuration trains and restores; estimates and padding."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

from common.networks import unet
from common.restoring import file_by_file, prediction
from ssdn_tf import configs, denoiser, likelihood

RNG = np.random.default_rng(0)


def batch(config, size=32):
    rng = np.random.default_rng(0)  # the same whichever tests ran before
    clean = rng.random((2, size, size, config.channels), np.float32)
    noisy = clean + 0.1 * rng.standard_normal(clean.shape).astype(np.float32)
    level = {"gauss": 0.1, "poisson": 30.0, "impulse": 0.5}[config.noise_model]
    x = {"noisy": noisy, "noise_level": np.full((2,), level, np.float32)}
    x["number"] = np.array([40, 41], np.float32)
    return x, {"target": noisy, "clean": clean}


@pytest.mark.slow
@pytest.mark.parametrize("name", configs.NAMED)
def test_every_named_configuration_trains_a_step_and_restores(name):
    config = dataclasses.replace(configs.NAMED[name], num_images=100)
    model = denoiser.Denoiser(config)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), run_eagerly=True)
    x, y = batch(config)
    before = [np.array(weight) for weight in model.trainable_variables]
    logs = model.train_on_batch(x, y, return_dict=True)
    assert np.isfinite(logs["loss"]) and np.isfinite(logs["psnr"])
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.trainable_variables)]
    if config.noise_params == "per_image" and config.has_likelihood:
        # A zeroed last layer lets no gradient past it in the first step.
        own = len(model.network.trainable_variables)
        assert all(moved[:own]) and any(moved[own:])
    else:
        assert all(moved)
    result = model(x)
    assert result["denoised"].shape == x["noisy"].shape
    expected = {"denoised", "mean", "std", "mean_std", "noise_std"}
    assert set(result) == (expected if config.has_likelihood else {"denoised"})
    assert all(np.isfinite(np.asarray(value)).all() for value in result.values())


@pytest.mark.parametrize(
    ("pipeline", "noise"),
    [
        *(("blindspot", "gauss25"), ("workshop", "gauss25"), ("blindspot_mean", "gauss25")),
        *(("blindspot", "impulse50"), ("blindspot_mean", "impulse50")),
    ],
)
def test_a_crop_with_hidden_edges_teaches_what_a_picture_that_ends_there_does(pipeline, noise):
    config = configs.Config(noise=noise, pipeline=pipeline, num_images=100)
    model = denoiser.Denoiser(config)
    x, y = batch(config, size=64)
    inside = np.zeros((2, 64, 64, 1), np.float32)
    inside[:, :50, :41] = 1
    cut_x = x | {"noisy": x["noisy"][:, :50, :41]}
    cut_y = {name: value[:, :50, :41] for name, value in y.items()}
    losses, scores = [], []
    for inputs, targets in ((x | {"inside": inside}, y), (cut_x, cut_y)):
        result = model(inputs, training=True)
        losses.append(float(model.compute_loss(inputs, targets, result)))
        model.psnr.reset_state()
        scores.append(float(model.compute_metrics(inputs, targets, result)["psnr"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    np.testing.assert_array_equal(
        model(x | {"inside": inside}, training=True)["denoised"][:, :50, :41],
        model(cut_x, training=True)["denoised"],
    )


@pytest.mark.parametrize("pipeline", ["blindspot", "n2c"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (31, 33), (64, 32)])
def test_images_of_any_size_keep_their_size(pipeline, size):
    model = denoiser.Denoiser(configs.Config(pipeline=pipeline))
    image = RNG.random((1, *size, 3), np.float32)
    denoised = model.predict_on_batch(image)["denoised"]
    assert denoised.shape == image.shape
    assert np.isfinite(denoised).all()


def test_an_unknown_level_starts_where_the_original_starts():
    for params in ("global", "per_image"):
        model = denoiser.Denoiser(configs.Config(noise_params=params))
        noise_std = model.predict_on_batch(RNG.random((2, 32, 32, 3), np.float32))["noise_std"]
        np.testing.assert_allclose(noise_std, 0.0191, atol=1e-4)
        assert noise_std.shape == (2, 1, 1, 1)


def test_a_known_level_is_the_trainings_unless_given():
    model = denoiser.Denoiser(configs.Config())
    image = RNG.random((2, 32, 32, 3), np.float32)
    default = model.predict_on_batch(image)
    np.testing.assert_allclose(default["noise_std"], 25 / 255, rtol=1e-5)
    given = model.predict_on_batch(
        {"noisy": image, "noise_level": np.array([0.05, 0.2], "float32")}
    )
    np.testing.assert_allclose(given["noise_std"].ravel(), [0.05, 0.2], rtol=1e-5)
    np.testing.assert_allclose(given["mean"], default["mean"], atol=1e-6)
    ranged = denoiser.Denoiser(configs.Config(noise="gauss5_50"))
    with pytest.raises(ValueError, match="give the level"):
        ranged(image)


def test_the_noise_estimate_does_not_see_the_padding():
    """A constant image: the estimate of 33x33 pixels is that of 64x64 ones, padding or not."""
    model = denoiser.Denoiser(configs.Config(noise_params="per_image"))
    last = model.noise_network.get_layer("nin_c")
    last.bias.assign([1.0])
    flat = [np.full((1, n, n, 3), 0.5, np.float32) for n in (33, 64)]
    a, b = (model.predict_on_batch(image)["noise_std"] for image in flat)
    np.testing.assert_allclose(a, b, rtol=1e-5)


def test_the_noise_rate_scales_the_steps_of_a_global_level():
    model = denoiser.Denoiser(configs.Config(noise_params="global", noise_rate=10.0))
    model.raw_noise.assign([[[[0.1]]]])
    noise_std = model.predict_on_batch(RNG.random((1, 32, 32, 3), np.float32))["noise_std"]
    np.testing.assert_allclose(noise_std, np.log1p(np.exp(1.0 - 4.0)) + 1e-3, rtol=1e-5)


@pytest.mark.parametrize("noise", ["gauss25", "poisson30"])
def test_the_fast_schedule_looks_for_the_level_from_above(noise):
    settings = {"noise": noise, "noise_params": "global", "schedule": "fast", "num_images": 100}
    for start, expected in ((None, 50.0), (20.0, 20.0), (0.0, 255 * (np.log1p(np.exp(-4)) + 1e-3))):
        config = configs.Config(**settings, noise_start=start).completed()
        model = denoiser.Denoiser(config)
        image = RNG.random((1, 32, 32, 3), np.float32)
        level = model._noise(image, None, unet.run_padded)
        np.testing.assert_allclose(255 * np.asarray(level), expected, rtol=1e-4)


def test_a_model_begins_with_the_weights_of_one_that_knew_its_noise():
    known = denoiser.Denoiser(configs.Config(channels=1, seed=1))
    model = denoiser.Denoiser(configs.Config(channels=1, noise_params="per_image"))
    own = [np.array(weight) for weight in model.noise_network.weights]
    taken = model.begin_with(known)
    assert taken == known.count_params() < model.count_params()
    for a, b in zip(model.network.weights, known.network.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.noise_network.weights, own, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"has the shape \(.*\), not"):
        denoiser.Denoiser(configs.Config(channels=3)).begin_with(known)


def predicting(deviation=0.05, **settings):
    """A denoiser whose network predicts 0.5 with this deviation for every pixel."""
    model = denoiser.Denoiser(configs.Config(num_images=100, **settings))
    for weight in model.network.weights:
        weight.assign(np.zeros(weight.shape))
    root = deviation * np.eye(model.config.channels)[np.triu_indices(model.config.channels)]
    last = next(w for w in reversed(model.network.weights) if len(w.shape) == 1)
    last.assign(np.concatenate([np.full(model.config.channels, 0.5), root]))
    return model


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("noise", "parameter", "deviation"),
    [
        ("gauss5_50", 0.02, 0.02),
        ("gauss25", 0.3, 0.3),
        ("poisson5_50", 20.0, (0.5 / 20) ** 0.5),
    ],
)
def test_it_finds_the_level_under_which_an_image_is_most_likely(
    channels, noise, parameter, deviation
):
    model = predicting(noise=noise, channels=channels)
    rng = np.random.default_rng(0)
    shape = (150, 161, channels)
    noisy = 0.5 + (0.05**2 + deviation**2) ** 0.5 * rng.standard_normal(shape)
    assert model.find_level(noisy) == pytest.approx(parameter, rel=0.03)


def test_a_level_is_found_for_the_smallest_pictures_and_ranges_from_zero_too():
    model = predicting(noise="gauss5_50", channels=1)
    assert 5 / 255 < model.find_level(np.zeros((1, 1, 1))) < 50 / 255
    model = predicting(noise="gauss0_50", channels=1)
    noisy = 0.5 + (0.05**2 + 0.02**2) ** 0.5 * np.random.default_rng(0).standard_normal((99, 99, 1))
    assert model.find_level(noisy) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("params", ["known", "global"])
def test_the_negative_log_likelihood_is_that_of_a_density(channels, params):
    model = predicting(noise="gauss25", channels=channels, noise_params=params)
    level = np.float32(25 / 255)
    if params == "global":
        model.raw_noise.assign(np.full((1, 1, 1, 1), likelihood.raw_from_noise(level)))
    rng = np.random.default_rng(0)
    values = rng.random((1, 256, 256, channels)).astype(np.float32)  # covers nearly all of it
    run = functools.partial(unet.run_padded, multiple=32, training=False)
    inputs = {"noisy": values, "noise_level": np.full((1, 1, 1, 1), level)}
    result = model.restore(inputs, run, True)
    negative = np.asarray(result["loss"])
    assert negative.shape == values.shape[:-1]
    if params == "global":
        negative = negative + likelihood.REGULARISER * np.asarray(result["noise_std"])[..., 0]
    negative = negative / (2 if channels == 1 else 1)  # the original's loss is twice as large
    whole = np.mean(np.exp(-negative)) / (2 * np.pi) ** (channels / 2)
    assert whole == pytest.approx(1, abs=0.05)


def test_it_finds_the_share_of_lost_pixels():
    model = predicting(noise="impulse0_100")
    rng = np.random.default_rng(0)
    clean = 0.5 + 0.05 * rng.standard_normal((160, 160, 3))
    lost = rng.random((160, 160, 1)) < 0.3
    assert model.find_level(np.where(lost, rng.random(clean.shape), clean)) == pytest.approx(
        0.3, abs=0.03
    )


def test_a_level_that_nobody_told_is_found_once_for_an_image():
    model = predicting(noise="gauss5_50", channels=1)
    noisy = (0.5 + 0.1 * np.random.default_rng(0).standard_normal((100, 90, 1))).astype(np.float32)
    level = np.float32(model.find_level(noisy))
    told = prediction.restore(model, {"noisy": noisy, "noise_level": level})
    for restore in (prediction.restore, prediction.restore_augmented):
        found = restore(model, {"noisy": noisy}, tile_size=64)
        np.testing.assert_allclose(found["denoised"], told["denoised"], atol=1e-6)
        np.testing.assert_allclose(found["noise_std"], level, rtol=1e-6)


def test_the_workshop_papers_likelihood_says_nothing_of_the_level():
    model = denoiser.Denoiser(configs.Config(pipeline="workshop", noise="gauss5_50"))
    assert not model.config.finds_level
    with pytest.raises(ValueError, match="is a range: give the level of the image"):
        file_by_file.noise_parameter(model, None)
