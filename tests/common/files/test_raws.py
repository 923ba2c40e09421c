"""common.files.raws: raw data of a camera, from the sensor's planes to a developed picture."""

import io

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image, ImageCms

from common.files import image_files, listing, raws, stacks
from common.files.errors import ImageError
from scripts.check import dng


@pytest.fixture
def light():
    """The mosaic of a photograph, 256 x 256, up to 0.8 of what the sensor holds."""
    picture = skimage.data.astronaut()[:256, 128:384] / 255
    return dng.mosaic_of(0.8 * picture**2.2)


def developed(path):
    """What LibRaw alone makes of a raw file, on [0, 1]."""
    import rawpy

    with rawpy.imread(str(path)) as raw:
        picture = raw.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            output_bps=16,
            use_camera_wb=True,
        )
    return picture / 65535


def test_the_planes_are_the_places_of_the_colour_filter(tmp_path, light):
    dng.write(tmp_path / "a.dng", light)
    planes = image_files.read(tmp_path / "a.dng")
    assert planes.shape == (4, 128, 128, 1)
    for number, (y, x) in enumerate(np.ndindex(2, 2)):
        counted = light[y::2, x::2]
        np.testing.assert_allclose(raws.to_light(planes[number, ..., 0]), counted, atol=4e-5)


def test_the_noise_of_light_is_nearly_even_in_the_planes(tmp_path):
    """Photons, 1,000 at full light: their deviation grows 9-fold from dark to bright."""
    steps = np.repeat(np.repeat(np.array([[0.01, 0.1], [0.3, 0.8]]), 128, 0), 128, 1)
    rng = np.random.default_rng(0)
    dng.write(tmp_path / "a.dng", rng.poisson(steps * 1000) / 1000)
    plane = image_files.read(tmp_path / "a.dng")[0, ..., 0]
    deviations = [plane[y : y + 60, x : x + 60].std() for y in (2, 66) for x in (2, 66)]
    assert max(deviations) < 1.3 * min(deviations)


def test_developed_as_it_is_it_is_what_libraw_makes_of_it(tmp_path, light):
    dng.write(tmp_path / "a.dng", light)
    stack = stacks.read(tmp_path / "a.dng")
    stacks.write(tmp_path / "a.tif", stack, stack.array)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        picture = tiff.asarray()
        profile = bytes(tiff.pages[0].tags["InterColorProfile"].value)
    assert picture.shape == (256, 256, 3) and picture.dtype == np.uint16
    difference = np.abs(picture / 65535 - developed(tmp_path / "a.dng"))
    assert np.percentile(difference, 99) < 5e-4
    grey = Image.new("RGB", (1, 1), (128, 128, 128))  # half of the light
    linear = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    seen = ImageCms.profileToProfile(grey, linear, ImageCms.createProfile("sRGB"))
    assert seen.getpixel((0, 0)) == (188, 188, 188)


def test_smooth_planes_keep_their_mean_and_what_was_white(tmp_path, light):
    """Smoothing roots makes the squares smaller; a plane would come back darker."""
    import scipy.ndimage

    light[100:140, 100:140] = 1.0
    noisy = np.random.default_rng(0).poisson(light * 100) / 100
    dng.write(tmp_path / "a.dng", np.where(light == 1.0, 1.0, np.minimum(noisy, 0.99)))
    stack = stacks.read(tmp_path / "a.dng")
    smooth = scipy.ndimage.uniform_filter(stack.array, (0, 5, 5))
    stacks.write(tmp_path / "a.tif", stack, smooth)
    picture = tifffile.imread(tmp_path / "a.tif") / 65535
    assert picture[110:130, 110:130].min() > 0.99
    before = developed(tmp_path / "a.dng").mean()
    assert abs(picture.mean() / before - 1) < 0.01


def test_odd_sides_lose_nothing(tmp_path, light):
    dng.write(tmp_path / "a.dng", light[:101, :99])
    stack = stacks.read(tmp_path / "a.dng")
    assert stack.array.shape == (4, 50, 49)
    stacks.write(tmp_path / "a.tif", stack, stack.array)
    assert tifffile.imread(tmp_path / "a.tif").shape == developed(tmp_path / "a.dng").shape


def test_bad_files_are_refused_by_name(tmp_path, light):
    dng.write(tmp_path / "a.dng", light)
    content = (tmp_path / "a.dng").read_bytes()
    for damaged in (content[:3000], b"no raw data at all", content[:100] + bytes(200)):
        (tmp_path / "b.dng").write_bytes(damaged)
        with pytest.raises(ImageError, match=r"b.dng: not readable as raw data \(.+\)"):
            image_files.read(tmp_path / "b.dng")
    stack = stacks.read(tmp_path / "a.dng")
    with pytest.raises(ImageError, match="a.dng: raw data can't be enlarged"):
        stacks.write(tmp_path / "a.tif", stack.enlarged(2), stack.enlarged(2).array)
    assert not (tmp_path / "a.tif").exists()


def test_without_the_extra_they_are_left_out_and_said(tmp_path, light, monkeypatch):
    dng.write(tmp_path / "a.dng", light)
    assert listing.images_of(tmp_path)[0].path == tmp_path / "a.dng"
    monkeypatch.setattr(raws, "is_installed", lambda: False)
    with pytest.raises(ImageError, match="1 .dng file: raw data of a camera, which need the extra"):
        listing.images_of(tmp_path)
    with pytest.raises(ImageError, match="a.dng: raw data of a camera need the extra `raw`"):
        image_files.read(tmp_path / "a.dng")
