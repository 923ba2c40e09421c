"""common.inspection: every warning comes where it should, and on plain noise none."""

import io
import pathlib
import types

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as pictures

from common.data import image_sets
from common.evaluation import inspection
from n2v_tf.method import METHOD

RNG = np.random.default_rng(0)
SCENE = pictures.camera()[100:420, 100:420].astype(np.float64) * 0.6 + 40
CONFIG = types.SimpleNamespace(struct_kernel=None, spatial=2, channels=1, data_path="")


def test_a_kernel_is_advised_where_neighbours_share_noise_alone():
    assert METHOD.advise(CONFIG, []) == []
    (line,) = METHOD.advise(CONFIG, [("vertical", 3)])
    assert "--struct_kernel=vertical7" in line
    told = types.SimpleNamespace(**(vars(CONFIG) | {"struct_kernel": "vertical7"}))
    assert METHOD.advise(told, [("vertical", 3)]) == []


def test_files_of_several_types_are_named_and_the_usual_ones_looked_at():
    page = np.clip(SCENE + RNG.normal(0, 15, SCENE.shape), 0, 255)[..., None]
    images = [page.astype(np.uint8), page.astype(np.uint8), (page * 16).astype(np.uint16)]
    lines = inspection.report(image_sets.ImageSet("x", images, list("abc")))
    assert lines[0].startswith("Careful: files of several types (2 uint8, 1 uint16)")
    assert lines[1].startswith("Data: 2 images")


def advise(reaches):
    return METHOD.advise(CONFIG, reaches)


def noise(sigma=15):
    return RNG.normal(0, sigma, SCENE.shape)


def report(*arrays, paths=()):
    pages = [np.clip(a, 0, 255).astype(np.uint8)[..., None] for a in arrays]
    names = [f"p{i}" for i in range(len(pages))]
    return inspection.report(image_sets.ImageSet("x", pages, names), paths, advise)


def careful(*arrays, **settings):
    return [line for line in report(*arrays, **settings) if "Careful" in line]


@pytest.mark.parametrize("sigma", [5, 15, 40])
def test_white_noise_on_a_photograph_passes(sigma):
    lines = report(SCENE + noise(sigma))
    assert lines[0] == "Data: 1 images of 320x320 pixels, 1 channel, uint8."
    assert "8 of 8 bits in use" in lines[1]
    assert "not correlated" in lines[-1]
    assert not careful(SCENE + noise(min(sigma, 15)))


@pytest.mark.parametrize(
    ("correlated", "kernel"),
    [
        (ndimage.uniform_filter1d(RNG.normal(0, 30, SCENE.shape), 3, axis=1), "horizontal5"),
        (ndimage.uniform_filter1d(RNG.normal(0, 30, SCENE.shape), 3, axis=0), "vertical5"),
        (np.repeat(RNG.normal(0, 15, (320, 1)), 320, axis=1), "horizontal31"),
    ],
)
def test_structured_noise_is_found_and_its_kernel_proposed(correlated, kernel):
    lines = report(SCENE + correlated)
    assert sum("Careful" in line for line in lines) == 1
    assert lines[-1] == f"--struct_kernel={kernel} hides the neighbours too (structN2V)."


def test_resampled_noise_is_correlated_along_both_axes():
    lines = report(SCENE + 3 * ndimage.gaussian_filter(noise(), 0.8))
    assert "resampled" in lines[-2] and "--struct_kernel=3x3" in lines[-1]


def test_what_white_noise_shows_is_zero():
    page = RNG.normal(0, 1, (512, 512))
    assert np.abs(inspection.noise_correlation(page)).max() < 0.05
    assert np.isnan(inspection.noise_correlation(page[:20, :20])).all()


def test_jpeg_is_found_by_name_and_by_its_blocks():
    (line,) = careful(SCENE + noise(), paths=[pathlib.Path("a.tif"), pathlib.Path("b.JPG")])
    assert "1 of 2 files are JPEG, b.JPG" in line
    file = io.BytesIO()
    Image.fromarray((SCENE + noise(5)).astype(np.uint8)).save(file, "JPEG", quality=20)
    assert any("steps every 8 pixels" in line for line in careful(np.array(Image.open(file))))


def test_saturated_constant_and_coarse_values_are_found():
    (line,) = careful(SCENE * 1.5 + noise())
    assert "largest value, 255, the most that the type holds" in line
    bordered = SCENE + noise()
    bordered[:64] = 0
    assert any("20 % of the area is constant" in line for line in careful(bordered))
    assert any("values, 16 apart" in line for line in careful((SCENE + noise()) // 16 * 16))


def test_counts_moved_up_by_four_bits_have_four_less():
    counts = np.random.default_rng(0).poisson(SCENE * 10)
    page = (np.minimum(counts, 2047) * 16).astype(np.uint16)[..., None]
    lines = inspection.report(image_sets.ImageSet("x", [page], ["a"]), advise=advise)
    assert "11 of 16 bits in use" in lines[1]  # counts to 2047


def test_a_few_photons_a_pixel_are_no_reason_to_be_careful():
    assert not careful(RNG.poisson(SCENE / 100))


def test_every_channel_is_looked_at():
    lined = SCENE + noise() + RNG.normal(0, 30, (320, 1))
    page = np.stack([SCENE + noise(), lined], axis=-1).astype(np.float32)
    lines = inspection.report(image_sets.ImageSet("x", [page], ["a"]), advise=advise)
    assert "--struct_kernel=horizontal" in lines[-1]


def test_images_too_small_to_tell_say_so():
    assert "too short to tell" in report(noise()[:40, :40] + 99)[-1]


def test_pages_of_other_levels_are_found():
    (line,) = [x for x in careful(SCENE + noise(), (SCENE + noise()) / 20) if "wildly" in x]
    assert "p1 has a mean of" in line and "p0" in line
