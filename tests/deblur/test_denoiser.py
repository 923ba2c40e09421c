"""deblur: pairs, losses and what every formulation restores."""

import dataclasses

import numpy as np
import pytest

from common import noise
from common.data import image_sets
from common.restoring import prediction
from common.training import loop
from deblur import cepstrum, configs, data, denoiser, kernels
from deblur.method import METHOD

RNG = np.random.default_rng(0)


def tiny(name, **settings):
    settings = {"num_images": 8, "batch_size": 2, "crop_size": 32} | settings
    return dataclasses.replace(configs.NAMED[name], **settings).completed()


def image_set(count=2, size=(40, 37)):
    drawn = [RNG.integers(0, 255, (*size, 1), np.uint8) for _ in range(count)]
    return image_sets.ImageSet("made", drawn, list("abcdefgh"[:count]))


@pytest.mark.parametrize("name", configs.NAMED)
def test_every_named_configuration_trains_a_step_and_restores_any_size(name):
    config = tiny(name)
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    model.run_eagerly = True
    ((x, y),) = data.training_batches(image_set(), config, 0).take(1).as_numpy_iterator()
    assert x["noisy"].shape == y["target"].shape == (2, 32, 32, 1)
    restored = model(x, training=True)
    if config.is_logarithmic:
        target = np.asarray(cepstrum.transform(y["target"])[0])
        if name.startswith("log_nodc"):
            target = target - target.mean(axis=(1, 2), keepdims=True)
        expected = np.mean((np.asarray(restored["cepstrum"]) - target) ** 2)
    else:
        expected = np.mean((np.asarray(restored["denoised"]) - y["target"]) ** 2)
    logs = model.train_on_batch(x, y, return_dict=True)
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-4)
    for size in ((1, 1), (9, 17)):
        image = RNG.random((1, *size, 1), np.float32)
        result = model.predict_on_batch(image)["denoised"]
        assert result.shape == image.shape and np.isfinite(result).all()


def test_images_of_many_sizes_one_after_the_other():
    model = denoiser.Denoiser(tiny("log_nodc"))
    for size in ((32, 32), (32, 17), (32, 25), (9, 25), (40, 70)):  # graphs for some sides known
        image = RNG.random((*size, 1), np.float32)
        restored = prediction.restore(model, {"noisy": image})["denoised"]
        assert restored.shape == image.shape and np.isfinite(restored).all()


def test_logarithms_are_restored_in_tiles_of_the_trainings_size():
    model = denoiser.Denoiser(tiny("log_nodc"))
    image = RNG.random((64, 96, 1), np.float32)
    restored = prediction.restore(model, {"noisy": image})["denoised"]
    part = prediction.restore(model, {"noisy": image[32:64, 32:64]})["denoised"]
    np.testing.assert_allclose(restored[32:64, 32:64], part, atol=1e-4 * part.max())


@pytest.mark.parametrize("formulation", ["convolve", "multiplicative"])
def test_an_untrained_model_gives_the_blurred_image_back(formulation):
    image = RNG.random((1, 20, 33, 1), np.float32)
    model = denoiser.Denoiser(tiny(formulation))
    np.testing.assert_array_equal(model(image)["denoised"], image)


def test_without_its_mean_the_cepstrum_keeps_the_brightness_that_came_in():
    model = denoiser.Denoiser(tiny("log_nodc"))
    image = RNG.random((1, 32, 32, 1), np.float32)
    restored = np.asarray(model(image)["denoised"])
    assert restored.mean() == pytest.approx(image.mean(), rel=1e-3)
    # Else any constant that the network adds is a factor of the brightness: exp(32 b).
    other = denoiser.Denoiser(tiny("log"))
    last = other.network.get_layer("dec_conv1")
    last.kernel.assign(last.kernel * 0.0)
    before, bias = np.asarray(other(image)["denoised"]).mean(), last.bias
    bias.assign(bias + 0.01)
    after = np.asarray(other(image)["denoised"]).mean()
    assert after / before == pytest.approx(np.exp(0.01 * 32), rel=1e-3)


def test_pairs_are_of_two_kernels_whose_mean_is_the_crop():
    config = tiny("convolve", batch_size=64, num_images=640, blur="dirac1", crop_size=32)
    one = image_set(count=1, size=(32, 32))
    batches = data.training_batches(one, config, 0).take(10).as_numpy_iterator()
    noisy, target, clean = (
        np.concatenate(arrays)
        for arrays in zip(*((x["noisy"], y["target"], y["clean"]) for x, y in batches))
    )
    assert np.ptp(clean, axis=0).max() == 0  # one crop
    for images_found in (noisy, target):
        error = (images_found.mean(axis=0) - clean[0]).std() / images_found.std(axis=0).mean()
        assert error < 2 / np.sqrt(640)
    correlation = np.corrcoef((noisy - clean).ravel(), (target - clean).ravel())[0, 1]
    assert abs(correlation) < 0.05
    # Unit sums: brightness is that of the crop.
    np.testing.assert_allclose(noisy.mean(axis=(1, 2)), clean.mean(axis=(1, 2)), atol=1e-5)
    ((x, y),) = data.training_batches(one, config, 3).take(1).as_numpy_iterator()
    np.testing.assert_array_equal(x["noisy"], noisy[192:256])
    clean_targets = dataclasses.replace(config, targets="clean")
    ((_, y),) = data.training_batches(one, clean_targets, 0).take(1).as_numpy_iterator()
    np.testing.assert_array_equal(y["target"], y["clean"])


def test_targets_of_cameras_are_blurred_or_sharpened():
    config = tiny("convolve-motion", batch_size=64, num_images=640, blur="motion5")
    one = image_set(count=1, size=(32, 32))
    batches = data.training_batches(one, config, 0).take(10).as_numpy_iterator()
    noisy, target, clean = (
        np.concatenate(arrays)
        for arrays in zip(*((x["noisy"], y["target"], y["clean"]) for x, y in batches))
    )
    # Blur takes from the deviation, sharpening adds to it.
    share = np.mean(target.std(axis=(1, 2, 3)) > clean.std(axis=(1, 2, 3)))
    assert 0.4 < share < 0.6
    assert (noisy.std(axis=(1, 2, 3)) < clean.std(axis=(1, 2, 3))).all()
    error = (target.mean(axis=0) - clean[0]).std()
    assert error < 0.15 * (noisy.mean(axis=0) - clean[0]).std()
    kernel = kernels.motion(5.0, 0.3)
    mean = (kernel + kernels.sharpening(kernel)) / 2
    assert mean[mean.shape[0] // 2, mean.shape[1] // 2] == pytest.approx(1)
    assert np.abs(mean).sum() == pytest.approx(1)


def test_noise_comes_on_top_of_both():
    config = tiny("convolve", batch_size=64, num_images=640, blur="dirac0", noise="gauss25")
    ((x, y),) = data.training_batches(image_set(), config, 0).take(1).as_numpy_iterator()
    errors = [(values - y["clean"]).ravel() for values in (x["noisy"], y["target"])]
    np.testing.assert_allclose([e.std() for e in errors], 25 / 255, rtol=0.02)
    assert abs(np.corrcoef(errors)[0, 1]) < 0.02


def test_examples_are_blurred_by_the_kernel_that_they_name():
    config = tiny("convolve", validation_blur="motion5")
    settings = {"noise": noise.Gauss(0, 0), "seed": 1, "repeats": 2}
    found = list(METHOD.examples(image_set(), config, **settings))
    assert [name for name, *_ in found] == ["a", "b"] * 2
    for _, clean, inputs in found:
        blurred = kernels.convolve(clean, inputs["kernel"])
        np.testing.assert_allclose(inputs["noisy"], blurred, atol=1e-6)
    assert not np.array_equal(found[0][2]["kernel"], found[2][2]["kernel"])
    again = list(METHOD.examples(image_set(), config, **settings))
    np.testing.assert_array_equal(found[3][2]["kernel"], again[3][2]["kernel"])
