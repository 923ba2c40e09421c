"""n2n_tf.mri.spectrum: sampling is unbiased and keeps images real; what was measured comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from n2n_tf.mri import spectrum
from scripts.check import golden_files

RNG = np.random.default_rng(0)
ODD = st.integers(0, 12).map(lambda n: 2 * n + 1)


def test_corruption_and_replacement_are_the_originals():
    theirs, _ = golden_files.load("mri")
    case = {k.split("/")[1]: v for k, v in theirs.items() if k.startswith("p0.1_63x47/")}
    probability = spectrum.keep_probability(63, 47, 0.1)
    density = spectrum.draw_density(probability, case["uniform"])
    np.testing.assert_array_equal(density > 0, case["keep_mask"])
    corrupted = spectrum.corrupt(case["image"], density)
    np.testing.assert_allclose(corrupted, case["corrupted"], atol=1e-5)
    inputs = (x[..., None] for x in (case["denoised"], corrupted, density))
    result = np.asarray(spectrum.put_back(*inputs))[..., 0]
    np.testing.assert_allclose(result, case["post_op_fspec"], atol=2e-5)


@given(height=ODD, width=ODD, seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_all_frequencies_measured_give_the_image_back(height, width, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((1, height, width)).astype(np.float32)
    density = np.ones_like(image)
    np.testing.assert_allclose(spectrum.corrupt(image, density), image, atol=1e-5)
    other = rng.random(image.shape).astype(np.float32)
    inputs = [x[..., None] for x in (other, image, density)]
    np.testing.assert_allclose(spectrum.put_back(*inputs), inputs[1], atol=1e-5)
    nothing = [inputs[0], np.zeros_like(inputs[1]), np.zeros_like(inputs[1])]
    np.testing.assert_allclose(spectrum.put_back(*nothing), inputs[0], atol=1e-5)


def test_what_is_put_back_has_the_measured_frequencies_and_no_others_changed():
    probability = spectrum.keep_probability(33, 47, 0.2)
    image, restored = RNG.random((2, 33, 47)).astype(np.float32)
    density = spectrum.draw_density(probability, RNG.random((33, 47)))
    corrupted = spectrum.corrupt(image, density)
    inputs = (x[None, ..., None] for x in (restored, corrupted, density))
    result = np.asarray(spectrum.put_back(*inputs))[0, ..., 0]
    kept = density > 0
    assert 0.1 < kept.mean() < 0.9
    ours, truth, before = (np.fft.fftshift(np.fft.fft2(x)) for x in (result, image, restored))
    np.testing.assert_allclose(ours[kept], truth[kept], atol=2e-3)
    np.testing.assert_allclose(ours[~kept], before[~kept], atol=2e-3)


def test_the_corrupted_image_is_right_on_average():
    probability = spectrum.keep_probability(31, 31, 0.3)
    image = RNG.random((31, 31)).astype(np.float32)
    density = spectrum.draw_density(probability, RNG.random((4000, 31, 31)))
    corrupted = spectrum.corrupt(image, density)
    spread = corrupted.std(axis=0) / 4000**0.5
    assert (np.abs(corrupted.mean(axis=0) - image) < 5 * spread).all()
    # A pair of mirrored samples passes both draws with probability m.
    np.testing.assert_allclose((density > 0).mean(axis=0), probability, atol=0.045)


def test_even_sides_have_no_middle():
    with pytest.raises(ValueError, match="64x63: expected odd sides"):
        spectrum.keep_probability(64, 63, 0.1)


def test_the_loss_on_measured_frequencies_is_the_mean_square_with_less_noise():
    image, other = RNG.random((2, 31, 31)).astype(np.float32)
    restored = (image + 0.1 * (other - 0.5))[None, ..., None]
    truth = float(np.mean(np.square(restored[0, ..., 0] - image)))

    def loss(density):
        target = spectrum.corrupt(image, density)
        inputs = restored, target[None, ..., None], density[None, ..., None]
        return float(spectrum.mean_square_where_measured(*inputs))

    np.testing.assert_allclose(loss(np.ones((31, 31), np.float32)), truth, rtol=1e-5)
    probability = spectrum.keep_probability(31, 31, 0.1)
    draws = [spectrum.draw_density(probability, u) for u in RNG.random((600, 31, 31), np.float32)]
    losses = np.array([loss(density) for density in draws])
    assert abs(losses.mean() - truth) < 4 * losses.std() / 600**0.5
    to_target = [np.mean((restored[0, ..., 0] - spectrum.corrupt(image, d)) ** 2) for d in draws]
    assert losses.std() < 0.1 * np.std(to_target)
