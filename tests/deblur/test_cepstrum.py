"""The logarithm of the spectrum: undone exactly, and what it makes of a convolution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.data import datasets
from common.files import pixels
from deblur import cepstrum, kernels


def photograph(height, width):
    (picture,) = datasets.load("sample", held_back=True, max_images=1).images
    return pixels.to_unit(picture[100 : 100 + height, 60 : 60 + width])[None]


def back(image):
    return np.asarray(cepstrum.invert(*cepstrum.transform(image)))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
def test_undone_exactly_on_real_images_of_any_size(height, width):
    image = photograph(height, width)
    np.testing.assert_allclose(back(image), image, atol=5e-6)


@pytest.mark.parametrize("image", [0.0, 0.5, -1.0])
def test_undone_on_constant_images_whose_frequencies_are_0(image):
    image = np.full((1, 12, 9, 1), image, np.float32)
    np.testing.assert_allclose(back(image), image, atol=1e-5)


def test_signs_of_negative_frequencies_survive():
    checkerboard = (np.indices((8, 8)).sum(axis=0) % 2).astype(np.float32)[None, ..., None]
    for image in (checkerboard, 1 - checkerboard, -checkerboard):
        real, imaginary = cepstrum.transform(image)
        np.testing.assert_allclose(back(image), image, atol=1e-5)
    assert np.abs(imaginary).max() > 0.1  # it would be lost without it


@pytest.mark.parametrize("size", [(32, 32), (31, 45), (33, 20)])
def test_a_convolution_becomes_a_sum(size):
    image = photograph(*size)
    generator = np.random.default_rng(0)
    kernel = kernels.draw(kernels.parse("lognormal0.3"), generator, size, unit_sum=False)
    blurred = kernels.convolve(image[0], kernel)[None]
    # The kernel as an image: orthonormal spectra multiply but for the root of the pixels.
    alone = np.roll(kernel, [-(n // 2) for n in size], axis=(0, 1)) * np.sqrt(np.prod(size))
    parts = (cepstrum.transform(x.astype(np.float32)) for x in (image, alone[None, ..., None]))
    expected = sum(np.asarray(real) for real, _ in parts)
    np.testing.assert_allclose(cepstrum.transform(blurred)[0], expected, atol=0.02)


def test_the_mean_over_the_pixels_is_the_logarithm_of_the_images_mean():
    image = photograph(24, 30)
    real, _ = cepstrum.transform(image)
    brighter, _ = cepstrum.transform(image + 0.25)
    pixels = np.sqrt(24 * 30)
    np.testing.assert_allclose(
        np.mean(real, axis=(1, 2)) * pixels, np.log(image.mean(axis=(1, 2)) * pixels), atol=1e-3
    )
    # And nothing else of it is: all other frequencies of both are the same.
    np.testing.assert_allclose(
        real - np.mean(real, axis=(1, 2)), brighter - np.mean(brighter, axis=(1, 2)), atol=2e-3
    )


def test_a_mistake_of_a_network_does_not_overflow():
    real, imaginary = cepstrum.transform(photograph(16, 16))
    assert np.isfinite(np.asarray(cepstrum.invert(real + 1e4, imaginary))).all()
