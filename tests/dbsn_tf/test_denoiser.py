"""dbsn_tf: stages train what they should, the model restores any size, refusals."""

import dataclasses

import numpy as np
import pytest

from common.training import loop
from dbsn_tf import configs, denoiser, network
from dbsn_tf.method import METHOD

RNG = np.random.default_rng(0)


def tiny(**settings):
    return configs.Config(
        **{"width": 4, "blocks": 1, "num_images": 80, "noise": "gauss25"} | settings
    )


@pytest.mark.parametrize("name", configs.NAMED)
def test_every_named_configuration_trains_a_step_and_restores_any_size(name):
    config = dataclasses.replace(configs.NAMED[name], num_images=80, width=4, blocks=1).completed()
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    noisy = RNG.random((2, 16, 24, config.channels)).astype(np.float32)
    model.run_eagerly = True
    logs = model.train_on_batch({"noisy": noisy}, {"target": noisy}, return_dict=True)
    assert np.isfinite(logs["loss"])
    for size in ((1, 1), (9, 17)):
        image = RNG.random((1, *size, config.channels)).astype(np.float32)
        result = model.predict_on_batch(image)
        assert result["denoised"].shape == result["std"].shape == image.shape
        whole = config.variance != "signal"
        assert result["noise_std"].shape == ((1, 1, 1, 1) if whole else (1, *size, 1))


@pytest.mark.parametrize(
    ("step", "stage", "moving"),
    [(0, "mu", {"backbone"}), (6, "sigma", {"variances"}), (7, "joint", {"backbone", "variances"})],
)
def test_a_stage_trains_its_own_networks_and_no_other(step, stage, moving):
    config = tiny(channels=1).completed()  # ten steps: 6, 1 and 3
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    model.run_eagerly = True
    model.begin_stage(step)
    assert model.stage == stage
    parts = {
        "backbone": [model.backbone],
        "variances": [model.mean_variance, model.noise_variance],
    }
    before = {p: [w for net in nets for w in net.get_weights()] for p, nets in parts.items()}
    noisy = RNG.random((2, 16, 16, 1)).astype(np.float32)
    for _ in range(2):
        model.train_on_batch({"noisy": noisy}, {"target": noisy})
    for part, nets in parts.items():
        after = [w for net in nets for w in net.get_weights()]
        changed = any(not np.array_equal(a, b) for a, b in zip(before[part], after, strict=True))
        assert changed == (part in moving), part
    for layer in model.backbone.layers:
        if isinstance(layer, network.MaskedConv2D):
            kernel = np.asarray(layer.kernel)
            assert not kernel[kernel.shape[0] // 2, kernel.shape[1] // 2].any()


def test_a_training_stops_behind_its_stage():
    steps = [tiny(stage=stage).last_step for stage in ("mu", "sigma", "joint", "all")]
    assert steps == [6, 7, 10, 10]
    assert [stage.end for stage in tiny().crop_stages()] == [6, 7, 10]
    assert [stage.end for stage in tiny(num_images=8).crop_stages()] == [1]


def test_the_variances_learn_faster_where_the_training_is_short():
    assert tiny().completed().noise_rate == 1.0
    assert tiny(schedule="fast").completed().noise_rate == 10.0
    assert tiny(schedule="fast", noise_rate=3.0).completed().noise_rate == 3.0
    config = tiny(channels=1, noise_rate=4.0, learning_rate=0.01).completed()
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    model.begin_stage(6)
    bias = model.noise_variance.get_layer("conv_final").bias
    before = np.array(bias)
    noisy = RNG.random((2, 16, 16, 1)).astype(np.float32)
    model.train_on_batch({"noisy": noisy}, {"target": noisy})
    # The first step of Adam has the length of the rate.
    np.testing.assert_allclose(np.abs(np.array(bias) - before), 4.0 * 0.01, rtol=1e-3)


def test_after_the_first_stage_alone_the_mean_restores():
    config = tiny(channels=1, stage="mu").completed()
    model = denoiser.Denoiser(config)
    assert not model.predicts_std
    image = RNG.random((1, 8, 8, 1)).astype(np.float32)
    result = model.predict_on_batch(image)
    assert set(result) == {"denoised", "mean"}
    np.testing.assert_array_equal(result["denoised"], result["mean"])


def test_an_unfinished_training_restores_by_what_was_trained(tmp_path):
    config = tiny().completed()
    (tmp_path / "checkpoint").mkdir()
    for steps, stage in ((0, "mu"), (6, "mu"), (7, "all"), (10, "all")):
        np.savez(tmp_path / "checkpoint" / "state.npz", step=steps)
        assert METHOD.as_trained(config, tmp_path).stage == stage
    assert METHOD.as_trained(config, tmp_path / "imported").stage == "all"


def test_the_noise_level_function_is_that_of_its_network():
    assert denoiser.Denoiser(tiny(channels=1).completed()).noise_levels(np.array([0.5])) is None
    model = denoiser.Denoiser(tiny(channels=1, noise="poissongauss30+5").completed())
    model.noise_variance.get_layer("conv_final").kernel.assign(np.ones((1, 1, 16, 1)))
    values = np.array([0.1, 0.4, 0.9], np.float32)
    output = np.asarray(model.noise_variance(values.reshape(1, 3, 1, 1))).ravel()
    expected = np.log1p(np.exp(output - 4)) + 1e-3
    np.testing.assert_allclose(model.noise_levels(values), expected, rtol=1e-4)
    assert np.ptp(expected) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variance": "pink"}, "variance='pink': expected"),
        ({"variance": "multivariate", "channels": 1}, "it is for 3 channels"),
        ({"likelihood": "map"}, "likelihood='map': expected None, constrained, marginal, both"),
        ({"keep": "best"}, "scores of different stages do not compare"),
        ({"stage": "first"}, "stage='first': expected mu"),
        ({"noise": "impulse50"}, "expected gauss, poisson"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)
