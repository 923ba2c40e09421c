"""Classical deblurring with the true kernel, on a photograph."""

import numpy as np
import pytest

from common.data import datasets
from common.evaluation import quality
from common.files import pixels
from deblur import classical, kernels


@pytest.fixture(scope="module")
def clean():
    (picture,) = datasets.load("sample", held_back=True, max_images=1).images
    return pixels.to_unit(pixels.to_channels(picture[40:168, 160:289], 1))


@pytest.mark.parametrize("kernel", [kernels.disc(2.0), kernels.motion(7.0, 0.5)])
@pytest.mark.parametrize("name", ["wiener", "unsupervised_wiener", "richardson_lucy"])
def test_each_undoes_a_camera_kernel(clean, kernel, name):
    blurred = kernels.convolve(clean, kernel)
    restored = classical.NAMES[name](blurred, kernel, 0.0)
    assert restored.shape == clean.shape and restored.dtype == np.float32
    assert quality.psnr(clean, restored) > quality.psnr(clean, blurred) + 2


def test_the_true_kernel_without_noise_is_all_but_undone(clean):
    # Not point-symmetric: a transfer function would lose its phase in skimage.
    kernel = kernels.draw(
        kernels.parse("dirac0.5"), np.random.default_rng(1), (5, 5), unit_sum=True
    )
    restored = classical.wiener(kernels.convolve(clean, kernel), kernel, 0.0)
    assert quality.psnr(clean, restored) > 45


def test_kernels_as_large_as_the_image_of_even_sides(clean):
    image = clean[:64, :64]
    generator = np.random.default_rng(0)
    kernel = kernels.draw(kernels.parse("dirac0.3"), generator, (64, 64), unit_sum=True)
    blurred = kernels.convolve(image, kernel)
    restored = classical.wiener(blurred, kernel, 0.0)
    assert quality.psnr(image, restored) > quality.psnr(image, blurred) + 10
    assert classical.richardson_lucy(blurred, kernel, 0.0).shape == image.shape
    assert classical.blurred(blurred, kernel, 0.0) is blurred
