"""n2n_tf.mri: the denoiser keeps what was measured; repeatable data; a rate by epochs."""

import dataclasses

import numpy as np
import pytest

from common.data import image_sets, phantoms
from common.training import loop
from n2n_tf.mri import configs, data, denoiser, sampling, spectrum
from n2n_tf.mri.method import METHOD

RNG = np.random.default_rng(0)
SMALL = dataclasses.replace(
    configs.Config(), crop_size=63, batch_size=2, num_images=600
).completed()


def slices(size=64):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (size, size, 1), np.uint8) for _ in range(3)]
    return image_sets.ImageSet("slices", pictures, list("abc"))


def take(start, count, config=SMALL):
    batches = data.training_batches(slices(72).each(data.odd_sides), config, start)
    return list(batches.take(count).as_numpy_iterator())


def test_batches_can_start_anywhere_and_hold_two_samplings():
    whole = take(0, 3)
    (rest,) = take(2, 1)
    for name in ("noisy", "density", "number"):
        np.testing.assert_array_equal(whole[2][0][name], rest[0][name])
    x, y = whole[0]
    np.testing.assert_array_equal(whole[2][1]["target"], rest[1]["target"])
    expected = spectrum.corrupt(y["clean"][..., 0], x["density"][..., 0])
    np.testing.assert_allclose(x["noisy"][..., 0], expected, atol=1e-6)
    assert np.abs(x["noisy"] - y["target"]).max() > 0.1
    clean = take(0, 1, dataclasses.replace(SMALL, targets="clean"))[0][1]
    np.testing.assert_array_equal(clean["target"], clean["clean"])


@pytest.mark.parametrize("size", [(63, 63), (31, 47), (1, 1)])
def test_the_denoised_slice_has_the_measured_frequencies(size):
    model = denoiser.Denoiser(SMALL)
    image = RNG.random(size).astype(np.float32)
    density = spectrum.draw_density(spectrum.keep_probability(*size, 0.3), RNG.random(size))
    inputs = {"noisy": spectrum.corrupt(image, density), "density": density.astype(np.float32)}
    batch = {name: value[None, ..., None] for name, value in inputs.items()}
    denoised = model.predict_on_batch(batch)["denoised"][0, ..., 0]
    assert denoised.shape == size
    ours, truth = (np.fft.fftshift(np.fft.fft2(x)) for x in (denoised, image))
    np.testing.assert_allclose(ours[density > 0], truth[density > 0], atol=2e-3)
    if size != (1, 1):
        assert np.abs(ours - truth)[density == 0].max() > 1  # an untrained network


def test_rate_and_beta_change_by_epoch():
    model = denoiser.Denoiser(SMALL)
    optimizer = METHOD.optimizer(SMALL)
    loop.compile_for_training(model, optimizer)
    # 600 slices, 2 a step: a step is an epoch.
    for step, rate, beta in ((0, 6.738e-6, 0.9), (10, 1e-3, 0.9), (299, None, 0.50036)):
        optimizer.iterations.assign(step)
        if rate:
            np.testing.assert_allclose(float(optimizer.learning_rate), rate, rtol=1e-4)
        np.testing.assert_allclose(float(optimizer._beta_1_of(step)), beta, rtol=1e-4)
    (x, y), *_ = take(0, 1)
    before = np.array(model.trainable_variables[0])
    optimizer.iterations.assign(150)
    logs = model.train_on_batch(x, y, return_dict=True)
    assert np.isfinite(logs["loss"])
    assert not np.array_equal(before, model.trainable_variables[0])


def test_even_slices_lose_a_row_and_a_column():
    for image in slices(64).images:
        trimmed = data.odd_sides(image)
        assert trimmed.shape == (63, 63, 1)
        assert data.odd_sides(trimmed).shape == (63, 63, 1)


def test_evaluation_draws_are_fixed():
    noise = sampling.Spectrum(10, 10)
    first, second = (
        list(METHOD.examples(slices(), SMALL, noise=noise, repeats=2)) for _ in range(2)
    )
    assert len(first) == 6
    np.testing.assert_array_equal(first[1][2]["density"], second[1][2]["density"])
    assert not np.array_equal(first[0][2]["density"], first[3][2]["density"])


def test_phantoms_are_always_the_same_and_held_back_ones_others():
    made = phantoms.make("held_back")
    assert len(made) == phantoms.COUNTS["held_back"]
    assert all(s.shape == (128, 128, 1) and s.dtype == np.uint8 for s in made)
    np.testing.assert_array_equal(made[5], phantoms.make("held_back")[5])
    trained = phantoms.make("train")
    assert not any(np.array_equal(s, t) for s in made for t in trained)
    assert made[0].max() > 200 and made[0][0].max() == 0  # Shepp and Logan's, on black


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop_size": 64}, "crop_size=64: expected an odd number"),
        ({"noise": "gauss25"}, "noise='gauss25': expected spectrum"),
        ({"channels": 3}, "channels=3: expected 1"),
        ({"targets": "second"}, "targets='second': expected noisy, clean"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)
