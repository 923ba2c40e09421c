"""n2v_tf.denoiser: any scale, any size, tiles that make no difference, a SavedModel."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from common.data import image_sets
from common.restoring import prediction
from common.serving import saved_models
from n2v_tf import configs, data, denoiser
from n2v_tf.method import METHOD

RNG = np.random.default_rng(0)
SMALL = configs.Config(
    data_path="x", width=4, crop_size=32, batch_size=4, perc_pix=5.0, kernel_size=3
)
VOLUMES = {"dims": "ZYX", "crop_depth": 8}
N2V2 = configs.N2V2


def model(mean=0.0, std=1.0, **settings):
    """A network whose batch normalisations are not the identity."""
    made = denoiser.Denoiser(dataclasses.replace(SMALL, **settings).completed())
    for variable in made.network.non_trainable_variables:
        variable.assign(RNG.uniform(0.5, 1.5, variable.shape))
    made.mean.assign(np.full(made.mean.shape, mean))
    made.std.assign(np.full(made.std.shape, std))
    return made


@pytest.mark.parametrize(
    ("shape", "settings", "limit"),
    [
        ((300, 411, 1), {}, 90 * 90),
        ((300, 411, 1), N2V2, 90 * 90),
        ((150, 203, 3), {"channels": 3}, 90 * 90),
        ((9, 150, 118, 1), VOLUMES, 12 * 60 * 60),
        ((61, 50, 118, 1), VOLUMES, 60**3),
    ],
)
def test_tiles_make_no_difference(shape, settings, limit):
    made = model(mean=0.4, std=0.2, **settings)
    image = RNG.random(shape, np.float32)
    whole = prediction.restore(made, {"noisy": image})["denoised"]
    sizes = []
    predict = made.predict_on_batch
    made.predict_on_batch = lambda inputs: (sizes.append(inputs["noisy"].shape), predict(inputs))[1]
    tiled = prediction.restore(made, {"noisy": image}, max_pixels=limit)["denoised"]
    assert len(sizes) > 1
    assert max(np.prod(size[:-1]) for size in sizes) <= limit
    # In units of the image's deviation, 0.3; nothing but the order of sums differs.
    np.testing.assert_allclose(tiled, whole, atol=2e-6)


def test_a_small_limit_still_gives_the_image_and_batches_of_tiles():
    made = model()
    image = RNG.random((80, 72, 1), np.float32)
    whole = prediction.restore(made, {"noisy": image})["denoised"]
    np.testing.assert_allclose(
        prediction.restore(made, {"noisy": image}, max_pixels=100)["denoised"], whole, atol=2e-6
    )
    batches = []
    predict = made.predict_on_batch
    made.predict_on_batch = lambda x: (batches.append(len(x["noisy"])), predict(x))[1]
    strip = RNG.random((4, 900, 1), np.float32)
    prediction.restore(made, {"noisy": strip}, max_pixels=1000, tile_size=64)
    assert max(batches) == 3


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 1), (33, 46)])
def test_any_size_comes_back(shape):
    noisy = RNG.random((1, *shape, 1), np.float32)
    assert model()(noisy)["denoised"].shape == noisy.shape
    noisy = RNG.random((1, 3, *shape, 1), np.float32)
    assert model(**VOLUMES)(noisy)["denoised"].shape == noisy.shape


def test_brightness_and_contrast_of_the_data_do_not_matter():
    image = RNG.random((1, 40, 40, 1)).astype(np.float32)
    made = model(mean=0.5, std=0.25)
    unit = np.asarray(made(image)["denoised"])
    made.mean.assign([0.5 * 3000 + 100])
    made.std.assign([0.25 * 3000])
    counts = np.asarray(made(image * 3000 + 100)["denoised"])
    np.testing.assert_allclose(counts, unit * 3000 + 100, rtol=1e-4)
    # With the image's own statistics the training's are of no consequence.
    own = [
        denoiser.restore_standardised(prediction.restore, made, {"noisy": x})["denoised"]
        for x in (image[0], image[0] * 3000 + 100)
    ]
    np.testing.assert_allclose(own[1], own[0] * 3000 + 100, rtol=1e-4)
    flat = {"noisy": np.full((8, 8, 1), 7, np.float32)}
    same = denoiser.restore_standardised(prediction.restore, made, flat)["denoised"]
    np.testing.assert_array_equal(same, flat["noisy"])


def test_the_loss_looks_at_blind_spots_alone_in_deviations():
    for loss, expected in (("mse", 4.0), ("mae", 2.0)):
        made = model(std=0.5, loss=loss)
        target = np.zeros((1, 4, 4, 1), np.float32)
        restored, kept = target + 9.0, target.copy()
        restored[0, 1, 2], kept[0, 1, 2] = 1.0, 1.0
        y = {"target": target, "kept": kept}
        assert float(made.compute_loss(None, y, {"denoised": restored})) == expected


def test_augmented_restoring_is_the_mean_over_eight():
    made = model()
    image = RNG.random((20, 28, 1), np.float32)
    result = prediction.restore_augmented(made, {"noisy": image})["denoised"]
    expected = 0
    for turns in range(4):
        for flip in (False, True):
            turned = np.rot90(image[:, ::-1] if flip else image, turns)
            restored = prediction.restore(made, {"noisy": turned.copy()})["denoised"]
            back = np.rot90(restored, -turns)
            expected = expected + (back[:, ::-1] if flip else back) / 8
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "settings"), [((37, 50, 3), {"channels": 3}), ((7, 30, 45, 1), VOLUMES)]
)
def test_a_trained_model_exports_its_pixels(tmp_path, shape, settings):
    made = model(mean=0.3, std=0.1, **settings)
    path = saved_models.export(made, tmp_path / "model", name="n2v")
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    for some in (shape, (*(1,) * (len(shape) - 1), shape[-1])):
        noisy = RNG.random((2, *some), np.float32)
        served = serve(noisy=tf.constant(noisy))["denoised"]
        np.testing.assert_allclose(served, made(noisy)["denoised"], atol=1e-5)


def test_a_network_with_blind_spots_learns_without_clean_images():
    """Noise on a smooth image: after few steps the validation loss is well below the noise's."""
    y, x = np.mgrid[:96, :96] / 12
    noisy = (np.sin(x) * np.cos(y) + 0.5 * RNG.standard_normal((96, 96)))[..., None]
    config = dataclasses.replace(
        SMALL, loss="mse", num_images=400, batch_size=4, width=8, learning_rate=4e-3
    ).completed()
    image_set = image_sets.ImageSet("x", [noisy.astype(np.float32)], ["a"])
    image_set = data.TrainingSet(*vars(image_set).values(), *data.statistics(image_set, config))
    made = denoiser.Denoiser(config)
    made.set_statistics(image_set.mean, image_set.std)
    made.compile(METHOD.optimizer(config), jit_compile=False)
    batches = data.training_batches(image_set, config, 0)
    made.fit(batches, steps_per_epoch=100, shuffle=False, verbose=0)
    clean = noisy - noisy + (np.sin(x) * np.cos(y))[..., None]
    restored = prediction.restore(made, {"noisy": noisy.astype(np.float32)})["denoised"]
    assert np.mean((restored - clean) ** 2) < 0.3 * np.mean((noisy - clean) ** 2)


def test_a_model_that_begins_with_another_keeps_the_statistics_of_its_own_images():
    other, made = model(mean=0.4, std=0.2), model(mean=100.0, std=20.0)
    made.begin_with(other)
    for a, b in zip(made.network.weights, other.network.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(made.mean[0]) == 100.0 and float(made.std[0]) == 20.0
