"""rdunet_tf: configurations train and restore; loss, rate and refusals."""

import dataclasses

import numpy as np
import pytest

from common.training import loop
from rdunet_tf import configs, denoiser
from rdunet_tf.method import METHOD

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", configs.NAMED)
def test_every_named_configuration_trains_a_step_and_restores_any_size(name):
    config = dataclasses.replace(configs.NAMED[name], num_images=100, width=4).completed()
    noises = {True: ("gauss5_50_step5_clipped", "gauss25_clipped"), False: ("gauss0_50", "gauss25")}
    expected = noises[name.startswith("published")]
    assert (str(config.noise), str(config.validation_noise)) == expected
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    model.run_eagerly = True
    clean, noisy, target = RNG.random((3, 2, 24, 16, config.channels), np.float32)
    y = {"target": target, "clean": clean}
    restored = model(noisy, training=True)
    difference = np.asarray(restored["denoised"]) - target
    expected = np.mean(difference**2 if config.targets == "noisy" else np.abs(difference))
    before = [np.array(weight) for weight in model.trainable_variables]
    logs = model.train_on_batch({"noisy": noisy}, y, return_dict=True)
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-5)
    for old, new in zip(before, model.trainable_variables):
        # The slope of a PReLU that sees positive values alone has no gradient.
        assert not np.array_equal(old, new) or new.path.endswith("alpha")
    for size in ((1, 1), (9, 17)):
        image = RNG.random((1, *size, config.channels), np.float32)
        assert model.predict_on_batch(image)["denoised"].shape == image.shape


def test_the_rate_is_halved_every_three_of_twenty_one_epochs():
    config = configs.Config(num_images=21 * 160).completed()  # ten steps of 16 an epoch
    rate = METHOD.optimizer(config)._learning_rate
    found = [float(rate(step)) for step in range(210)]
    expected = [1e-4 * 0.5 ** (step // 30) for step in range(210)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_published_kernels_start_as_pytorchs_do():
    """Uniform within 1 / sqrt(fan_in); of a transposed one PyTorch counts outputs: 2 x 2 x out."""
    config = dataclasses.replace(configs.NAMED["published"], width=16).completed()
    layers = {layer.name: layer for layer in denoiser.Denoiser(config).network.layers}
    for name, fan_in in (
        ("block_1_0_conv_0", 9 * 32),
        ("down_1_conv", 4 * 32),
        ("up_1_conv_t", 4 * 64),
    ):
        for values in map(np.asarray, (layers[name].kernel, layers[name].bias)):
            assert 0.7 * fan_in**-0.5 < np.abs(values).max() <= fan_in**-0.5
        assert np.std(layers[name].kernel) == pytest.approx((3 * fan_in) ** -0.5, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 7}, "width=7: expected an even number"),
        ({"width": 0}, "width=0: expected more than 0"),
        ({"crop_size": 20}, "crop_size=20: expected a multiple of 8"),
        ({"noise": "none"}, "noise='none': expected gauss"),
        ({"noise": "text25", "targets": "noisy"}, "its mean is not the image"),
        ({"weight_decay": -1.0}, "weight_decay=-1.0: expected 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)
