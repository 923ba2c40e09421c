"""Kernels by their laws, and circular convolution against a sum over pixels."""

import numpy as np
import pytest

from common.files import image_files
from common.files.errors import ImageError
from deblur import kernels

SIZES = [(5, 5), (16, 16), (9, 14), (1, 1), (1, 6)]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_convolution_is_the_sum_over_wrapped_pixels():
    image = rng().random((7, 6, 2))
    kernel = rng(1).normal(size=(3, 5))
    expected = np.zeros_like(image)
    for down in range(3):
        for right in range(5):
            expected += kernel[down, right] * np.roll(image, (down - 1, right - 2), axis=(0, 1))
    np.testing.assert_allclose(kernels.convolve(image, kernel), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(5, 5), (8, 8), (7, 12)])
def test_a_dirac_kernel_has_the_dirac_as_mean_and_its_strength_at_every_frequency(size):
    blur, draws = kernels.parse("dirac0.4"), 2000
    generator = rng()
    drawn = [kernels.draw(blur, generator, size, unit_sum=False) for _ in range(draws)]
    mean = np.mean(drawn, axis=0)
    dirac = np.zeros(size)
    dirac[size[0] // 2, size[1] // 2] = 1.0
    np.testing.assert_allclose(mean, dirac, atol=5 * 0.4 / np.sqrt(draws * np.prod(size)))
    spectra = np.fft.fft2([np.roll(k - dirac, [-(n // 2) for n in size], (0, 1)) for k in drawn])
    power = np.mean(np.abs(spectra) ** 2, axis=0)
    np.testing.assert_allclose(power, 0.16, rtol=0.2)


def test_unit_sums_leave_the_other_frequencies_their_strength():
    blur, generator = kernels.parse("dirac0.4"), rng()
    drawn = [kernels.draw(blur, generator, (5, 5), unit_sum=True) for _ in range(2000)]
    np.testing.assert_allclose([k.sum() for k in drawn], 1.0, atol=1e-12)
    power = np.mean(np.abs(np.fft.fft2(drawn)) ** 2, axis=0)
    # |1 + 0.4 z|^2 is 1.16 on average, but for the sum, and a 25th more for what that gives up.
    np.testing.assert_allclose(np.delete(power.ravel(), 0).mean(), 1 + 0.16 * 25 / 24, rtol=0.02)


@pytest.mark.parametrize("size", SIZES)
def test_a_lognormal_spectrum_is_real_positive_and_of_logarithm_zero_on_average(size):
    blur, generator = kernels.parse("lognormal0.5"), rng()
    spectra = []
    for _ in range(1000):
        kernel = kernels.draw(blur, generator, size, unit_sum=False)
        spectra.append(np.fft.fft2(np.fft.ifftshift(kernel)))
    np.testing.assert_allclose(np.imag(spectra), 0.0, atol=1e-12)
    assert np.real(spectra).min() > 0
    logarithms = np.log(np.real(spectra))
    np.testing.assert_allclose(logarithms.mean(axis=0), 0.0, atol=5 * 0.5 / np.sqrt(1000))
    np.testing.assert_allclose(logarithms.std(axis=0), 0.5, rtol=0.12)


def test_a_small_lognormal_spectrum_padded_is_no_longer_lognormal():
    # What the report does: between the 5x5 frequencies it is interpolated, and may pass 0.
    blur, generator = kernels.parse("lognormal1"), rng()
    found = []
    for _ in range(300):
        kernel = kernels.draw(blur, generator, (5, 5), unit_sum=False)
        found.append(kernels.transfer(kernel, (40, 40)).real)
    on, found = np.array(found)[:, ::8, ::8], np.array(found)
    assert on.min() > 0 and abs(np.log(on).mean()) < 0.1
    assert (found < 0).mean() > 0.02
    assert abs(np.log(np.abs(found)).mean()) > 0.05


def test_strong_draws_stay_within_single_precision():
    kernel = kernels.draw(kernels.parse("lognormal50"), rng(), (16, 16), unit_sum=False)
    spectrum = np.abs(np.fft.fft2(kernel))
    low, high = np.exp([-kernels.MAX_LOG, kernels.MAX_LOG])
    assert low * 0.99 <= spectrum.min() and spectrum.max() <= high * 1.01


def test_kernels_of_cameras_sum_to_one_and_have_their_length():
    for angle in np.linspace(0, np.pi, 7):
        kernel = kernels.motion(9.0, angle)
        kernels.check(kernel)
        assert kernel.sum() == pytest.approx(1) and kernel.min() >= 0
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)
        y, x = np.indices(kernel.shape) - np.array(kernel.shape)[:, None, None] // 2
        along = x * np.cos(angle) + y * np.sin(angle)
        # A path of 9 pixels has deviation 9 / sqrt(12); the grid adds up to half a pixel.
        assert np.sqrt((kernel * along**2).sum()) == pytest.approx(9 / np.sqrt(12), rel=0.05)
        assert np.sqrt((kernel * (y * np.cos(angle) - x * np.sin(angle)) ** 2).sum()) < 0.6
        assert kernel.shape[0] <= kernels.largest_side(kernels.parse("motion3_9"))
    horizontal = kernels.motion(3.0, 0.0)
    assert np.flatnonzero(horizontal.sum(axis=1)).size == 1
    for radius in (0.2, 0.5, 1.0, 2.6, 4.0):
        kernel = kernels.disc(radius)
        kernels.check(kernel)
        assert kernel.sum() == pytest.approx(1)
        assert kernel.shape[0] >= 2 * radius
        assert kernels.largest_side(kernels.parse(f"disc0.1_{radius}")) == kernel.shape[0]
        np.testing.assert_allclose(kernel, kernel.T)
    assert kernels.disc(0.2).shape == (1, 1)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.ones((4, 5)), "4x5: expected two odd sides"),
        (np.ones((3, 3, 3)), "3x3x3: expected two odd sides"),
        (np.full((3, 3), np.nan), "NaN or infinite"),
        (np.array([[0, 1, -1]]), "sum to 0"),
        (np.zeros((3, 3)), "sum to 0"),
    ],
)
def test_kernels_that_cannot_be(kernel, message):
    with pytest.raises(ValueError, match=message):
        kernels.check(kernel)


def test_a_kernel_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="a kernel of 5x5 is larger than the image of 9x4"):
        kernels.convolve(np.zeros((9, 4, 1)), np.ones((5, 5)))


def test_kernels_from_files(tmp_path):
    kernel = rng().random((5, 3))
    np.save(tmp_path / "k.npy", kernel)
    np.testing.assert_allclose(kernels.read(tmp_path / "k.npy"), kernel / kernel.sum(), rtol=1e-6)
    image_files.write(tmp_path / "k.png", np.full((3, 3, 1), 7, np.uint8))
    np.testing.assert_allclose(kernels.read(tmp_path / "k.png"), 1 / 9)
    rgba = np.zeros((3, 3, 4), np.uint8)
    rgba[1, 1], rgba[..., 3] = 255, 255  # opaque
    image_files.write(tmp_path / "rgba.png", rgba)
    assert kernels.read(tmp_path / "rgba.png")[1, 1] == 1
    np.save(tmp_path / "even.npy", np.ones((4, 4)))
    with pytest.raises(ImageError, match=r"even.npy: a kernel of 4x4: expected two odd"):
        kernels.read(tmp_path / "even.npy")
    np.save(tmp_path / "nan.npy", np.full((3, 3), np.nan))
    with pytest.raises(ImageError, match=r"nan.npy: 9 NaN or infinite"):
        kernels.read(tmp_path / "nan.npy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dirac", "expected one of lognormal, dirac, motion, disc"),
        ("dirac0.5_0.1", "runs upwards"),
        ("lognormal51", "at most to 50"),
        ("motion1e9", "expected one of"),
        ("disc999", "at most to 255"),
    ],
)
def test_laws_that_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        kernels.parse(text)
