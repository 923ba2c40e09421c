"""superres: pairs, losses, and models that enlarge images of any size, whole or in tiles."""

import dataclasses

import numpy as np
import pytest

from common import noise
from common.data import image_sets
from common.files import pixels
from common.files.errors import ImageError
from common.restoring import prediction, tiling
from common.training import loop
from superres import configs, data, denoiser
from superres.method import METHOD

RNG = np.random.default_rng(0)
GAUSS0 = noise.Gauss(0, 0)


def tiny(name="noisy_hr", **settings):
    settings = {"num_images": 8, "batch_size": 2, "crop_size": 96, "channels": 1} | settings
    return dataclasses.replace(configs.NAMED[name], **settings).completed()


def image_set(count=2, size=(120, 101), channels=1):
    drawn = [RNG.integers(0, 255, (*size, channels), np.uint8) for _ in range(count)]
    return image_sets.ImageSet("made", drawn, list("abcdefgh"[:count]))


def first_batch(config, found=None, start=0):
    batches = data.training_batches(found or image_set(), config, start)
    return next(batches.take(1).as_numpy_iterator())


@pytest.mark.parametrize("name", configs.NAMED)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_named_configuration_trains_a_step_and_restores_any_size(name, channels):
    config = tiny(name, channels=channels)
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, METHOD.optimizer(config))
    model.run_eagerly = True
    x, y = first_batch(config, image_set(channels=channels))
    errors = np.square(np.asarray(model(x, training=True)["denoised"]) - y["target"])
    expected = (errors * y["kept"]).sum() / y["kept"].sum() if "kept" in y else errors.mean()
    before = [np.array(weight) for weight in model.trainable_variables]
    logs = model.train_on_batch(x, y, return_dict=True)
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-4)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.trainable_variables))
    upscaler = denoiser.Upscaler(model)
    for height, width in ((1, 1), (9, 17)):
        image = RNG.random((1, height, width, channels), np.float32)
        restored = upscaler.predict_on_batch(image)["denoised"]
        assert restored.shape == (1, 2 * height, 2 * width, channels)


def test_pairs_of_the_report_have_the_enlarged_image_as_mean():
    config = tiny("bicubic-n2n", num_images=32, batch_size=32, noise="gauss10")
    x, y = first_batch(config)
    enlarged = np.stack([data.shrink_and_enlarge(crop, 2)[1] for crop in y["clean"]])
    errors = [(values - enlarged).ravel() for values in (x["noisy"], y["target"])]
    np.testing.assert_allclose([e.std() for e in errors], 10 / 255, rtol=0.02)
    np.testing.assert_allclose([e.mean() for e in errors], 0, atol=1e-3)
    assert abs(np.corrcoef(errors)[0, 1]) < 0.02


def test_noisy_hr_has_the_large_image_as_mean_of_its_target():
    config, found = tiny(num_images=32, batch_size=32, target_noise="gauss20"), image_set()
    x, y = first_batch(config, found)
    enlarged = np.stack([data.shrink_and_enlarge(crop, 2)[1] for crop in y["clean"]])
    np.testing.assert_allclose(x["noisy"], enlarged, atol=1e-6)
    error = y["target"] - y["clean"]
    assert error.std() == pytest.approx(20 / 255, rel=0.02) and abs(error.mean()) < 1e-3
    again = first_batch(dataclasses.replace(config, batch_size=16), found, start=1)
    np.testing.assert_array_equal(again[1]["target"], y["target"][16:])


def test_noise2void_sees_other_values_where_it_learns():
    x, y = first_batch(tiny("bicubic-n2v", batch_size=4))
    hidden = x["noisy"] != y["target"]
    assert 0.005 < y["kept"].mean() < 0.03
    assert not (hidden & (y["kept"] == 0)).any()
    assert (hidden & (y["kept"] == 1)).sum() > 0.8 * y["kept"].sum()


def test_own_copies_are_smaller_and_still_hold_a_crop():
    config = tiny("single_image", crop_size=64)
    found = data.with_copies(image_set(1, (160, 128)), config)
    assert found.names == ["a@1", "a@0.85", "a@0.7", "a@0.55"]
    assert [i.shape[:2] for i in found.images] == [(160, 128), (136, 109), (112, 90), (88, 70)]
    assert {i.dtype for i in found.images} == {np.dtype(np.uint8)}
    # Two crops of one place differ in their orientation at least.
    whole = image_set(1, (64, 64))
    _, y = first_batch(dataclasses.replace(config, batch_size=8), whole)
    assert len(np.unique(y["clean"].reshape(8, -1), axis=0)) > 3


@pytest.mark.parametrize("scale", configs.SCALES)
def test_an_untrained_upscaler_is_bicubic_whole_or_in_tiles(scale):
    model = denoiser.Upscaler(denoiser.Denoiser(tiny(scale=scale)))
    image = RNG.random((100, 40, 1), np.float32)
    expected = pixels.resize(image, (scale * 100, scale * 40))
    tiles = {"max_pixels": 96 * 64}
    assert len(tiling.Grid(model, (100, 40), **tiles).tiles) > 1
    for settings in ({}, tiles):
        found = prediction.restore(model, {"noisy": image}, **settings)["denoised"]
        np.testing.assert_allclose(found, expected, atol=2e-6)
    augmented = prediction.restore_augmented(model, {"noisy": image})["denoised"]
    np.testing.assert_allclose(augmented, expected, atol=2e-6)


def test_tiles_of_a_trained_upscaler_are_those_of_the_whole_image():
    inner = denoiser.Denoiser(tiny())
    last = inner.network.get_layer("dec_conv1").kernel
    last.assign(RNG.normal(0, 0.05, last.shape))
    model = denoiser.Upscaler(inner)
    image = RNG.random((230, 70, 1), np.float32)
    whole = prediction.restore(model, {"noisy": image})["denoised"]
    tiles = {"max_pixels": 160 * 96, "halo": model.radius}
    assert len(tiling.Grid(model, image.shape[:2], **tiles).tiles) > 1
    found = prediction.restore(model, {"noisy": image}, **tiles)["denoised"]
    np.testing.assert_allclose(found, whole, atol=1e-5)
    assert np.abs(whole - pixels.resize(image, (460, 140))).max() > 0.01


def test_examples_are_cut_to_multiples_of_the_scale():
    config = tiny(scale=3)
    found = list(METHOD.examples(image_set(), config, noise=GAUSS0, repeats=2))
    assert [name for name, *_ in found] == ["a", "b"] * 2
    name, clean, inputs = found[0]
    assert clean.shape == inputs["noisy"].shape == (120, 99, 1)
    assert inputs["small"].shape == (40, 33, 1)
    tiny_image = image_sets.ImageSet("made", [np.zeros((2, 50, 1), np.uint8)], ["thin"])
    with pytest.raises(ImageError, match="thin: 2x50 pixels; scale=3 leaves nothing"):
        list(METHOD.examples(tiny_image, config, noise=GAUSS0))
