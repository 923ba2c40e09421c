"""common.restoring: large files in parts are as whole ones; pictures keep what they carry."""

import tracemalloc

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageCms
import pytest
import tifffile

import noise2x
from common.files import image_files
from common.restoring import file_by_file
from scripts.check import dng
from tests import factory

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def denoiser():
    return factory.build("n2v_tf", width=4, depth=1)


def restore(denoiser, path, output, **settings):
    said = []
    file_by_file.restore_files(denoiser, [str(path)], output, show=said.append, **settings)
    return said


def write_stack(path, data):
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, data)
    elif path.suffix == ".zarr":
        zarr = pytest.importorskip("zarr")
        zarr.create_array(str(path), data=data, chunks=(1, 32, 32))
    else:
        compression = {"compression": "zlib"} if path.stem == "deflate" else {}
        byteorder = ">" if path.stem == "big-endian" else "<"
        options = {"photometric": "minisblack", "byteorder": byteorder}
        tifffile.imwrite(path, data, **options, **compression)


@pytest.mark.parametrize(
    "name", ["plain.tif", "big-endian.tif", "deflate.tif", "array.npy", "stack.zarr"]
)
def test_files_larger_than_memory_come_out_the_same(denoiser, tmp_path, name):
    if name == "deflate.tif":
        pytest.importorskip("zarr")
    path = tmp_path / name
    write_stack(path, RNG.integers(0, 65535, (2, 70, 95)).astype(np.uint16))
    restore(denoiser, path, tmp_path / "whole")
    tiles = {"max_pixels": 32 * 32}
    said = restore(denoiser, path, tmp_path / "parts", tiles=tiles, max_bytes=1000)
    assert f"{path} -> " in said[-1]
    whole, parts = (image_files.read(tmp_path / folder / name) for folder in ("whole", "parts"))
    assert whole.dtype == parts.dtype == np.uint16
    # Tiles add in another order: a value in the middle between two may go the other way.
    assert np.abs(whole.astype(int) - parts).max() <= 1
    assert len(list((tmp_path / "parts").iterdir())) == 1  # nothing temporary


@pytest.mark.parametrize("suffix", ["tif", "zarr"])
def test_parts_that_can_not_be_decoded_are_named_and_the_others_restored(
    denoiser, tmp_path, suffix
):
    pytest.importorskip("zarr")
    data = RNG.integers(0, 65535, (2, 70, 95)).astype(np.uint16)
    write_stack(tmp_path / "in" / f"deflate.{suffix}", data)
    write_stack(tmp_path / "in" / "good.npy", data)
    damaged = tmp_path / "in" / f"deflate.{suffix}"
    if suffix == "zarr":
        damaged = sorted(p for p in (damaged / "c").rglob("*") if p.is_file())[5]
    content = bytearray(damaged.read_bytes())
    begin = 0 if suffix == "zarr" else len(content) // 2  # a strip in the middle, a whole chunk
    content[begin : begin + 500] = b"\0" * len(content[begin : begin + 500])
    damaged.write_bytes(content)
    said = []
    with pytest.raises(ValueError, match="1 of 2 files"):
        file_by_file.restore_files(
            denoiser, [str(tmp_path / "in")], tmp_path / "out", max_bytes=1000, show=said.append
        )
    assert f"deflate.{suffix}: not readable as an image" in " ".join(said)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.npy"]


def test_memory_is_bounded_by_the_tile_whatever_the_image(denoiser, tmp_path):
    """An image of 16 megapixels: as float32 in and out 128 MB more than the file itself."""
    np.save(tmp_path / "a.npy", np.zeros((4000, 4000), np.uint8))
    tracemalloc.start()
    restore(denoiser, tmp_path / "a.npy", tmp_path / "out", tiles={"max_pixels": 10**6})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 16e6 + 40e6


def test_outputs_never_go_into_an_input_or_around_it(denoiser, tmp_path):
    zarr = pytest.importorskip("zarr")
    inner = tmp_path / "a.zarr" / "a.zarr"
    zarr.create_array(str(inner), data=np.zeros((8, 8), np.uint8))
    for source, output in ((inner, tmp_path), (inner, inner)):
        with pytest.raises(ValueError, match="an input, which would be lost"):
            restore(denoiser, source, output)
    assert inner.is_dir()


def test_pages_written_one_by_one_are_read_one_by_one(denoiser, tmp_path):
    data = RNG.integers(0, 65535, (3, 40, 50)).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in data:
            writer.write(page, contiguous=False)
    restore(denoiser, tmp_path / "a.tif", tmp_path / "whole")
    restore(denoiser, tmp_path / "a.tif", tmp_path / "parts", max_bytes=1000)
    whole, parts = (tifffile.imread(tmp_path / f / "a.tif") for f in ("whole", "parts"))
    assert whole.shape == data.shape
    np.testing.assert_array_equal(whole, parts)


def test_photographs_in_tiff_keep_profile_and_orientation(denoiser, tmp_path):
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    options = {"iccprofile": profile, "extratags": [(274, 3, 1, 6, True)]}
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 7), np.uint8), **options)
    restore(denoiser, tmp_path / "a.tif", tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as tiff:
        tags = tiff.pages[0].tags
        assert (tags[34675].value, tags[274].value) == (profile, 6)


def test_what_is_wrong_in_one_part_leaves_no_file(denoiser, tmp_path):
    data = RNG.random((1, 70, 95)).astype(np.float32)
    data[0, -1, -1] = np.nan
    np.save(tmp_path / "a.npy", data)
    with pytest.raises(ValueError, match="1 of 1 files"):
        restore(denoiser, tmp_path / "a.npy", tmp_path / "out", max_bytes=1000)
    assert not list((tmp_path / "out").iterdir())


def test_the_standard_deviation_of_a_large_file(tmp_path):
    model = factory.build("ssdn_tf", channels=1)
    data = RNG.integers(0, 255, (2, 40, 300)).astype(np.uint8)
    np.save(tmp_path / "a.npy", data)
    settings = {"with_std": True, "tiles": {"max_pixels": 64 * 200}}
    restore(model, tmp_path / "a.npy", tmp_path / "whole", with_std=True)
    restore(model, tmp_path / "a.npy", tmp_path / "parts", max_bytes=1000, **settings)
    whole, parts = (tifffile.imread(tmp_path / f / "a-std.tif") for f in ("whole", "parts"))
    assert whole.shape == parts.shape == (2, 40, 300)
    assert np.abs(whole - parts).max() < 0.05 * whole.max()  # the halo is not all it sees


def test_every_page_has_a_level_of_its_own_that_is_found_and_the_same_in_all_its_parts(tmp_path):
    model = noise2x.load("ssdn-gauss5_50-grey")
    pages = [0.5 + sigma / 255 * RNG.standard_normal((96, 200)) for sigma in (8, 40)]
    np.save(tmp_path / "a.npy", np.array(pages, np.float32))
    said = restore(model, tmp_path / "a.npy", tmp_path / "whole")
    assert "noise level found: 24" in said[-1] or "noise level found: 23" in said[-1], said
    settings = {"max_bytes": 1000, "tiles": {"max_pixels": 64 * 128}}
    assert (
        restore(model, tmp_path / "a.npy", tmp_path / "parts", **settings)[-1][-40:]
        == (said[-1][-40:])
    )
    whole, parts = (np.load(tmp_path / f / "a.npy") for f in ("whole", "parts"))
    for page, sigma in zip(whole, (8, 40), strict=True):
        assert page.std() < 0.3 * sigma / 255
    assert np.abs(whole - parts).max() < 0.02  # the halo is not all it sees


def test_pictures_keep_profile_exif_and_come_upright(denoiser, tmp_path):
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    exif = PIL.Image.Exif()
    exif[PIL.ExifTags.Base.Orientation] = 6
    exif[PIL.ExifTags.Base.Artist] = "somebody"
    picture = PIL.Image.fromarray(RNG.integers(0, 255, (20, 33), np.uint8))
    for suffix in ("jpg", "png", "webp"):
        path = tmp_path / f"a.{suffix}"
        made = picture.convert("RGB") if suffix == "webp" else picture
        made.save(path, exif=exif, icc_profile=profile)
        model = denoiser
        if suffix == "webp":
            model = factory.build("n2v_tf", width=4, depth=1, channels=3)
        restore(model, path, tmp_path / "out")
        with PIL.Image.open(tmp_path / "out" / path.name) as restored:
            assert restored.size == (20, 33)
            assert restored.info["icc_profile"] == profile
            found = restored.getexif()
        assert found[PIL.ExifTags.Base.Artist] == "somebody"
        assert found.get(PIL.ExifTags.Base.Orientation, 1) == 1


def test_strength_asks_less_of_pixels_that_the_model_is_unsure_of():
    sure, typical, unsure = 0.01, 0.25, 0.9
    std = np.float32([sure, typical, unsure]).reshape(1, 3, 1) * 0.1
    result = {"std": std, "noise_std": np.full((1, 1, 1), 0.1, np.float32)}
    low = file_by_file._weight(0.5, result).ravel()
    assert low[0] > 0.95 and low[1] == pytest.approx(0.5) and low[2] == pytest.approx(0.25)
    np.testing.assert_array_equal(file_by_file._weight(0.0, result), 0.0)
    assert file_by_file._weight(0.5, {"std": std}) == 0.5


def test_strength_mixes_the_result_with_the_file(denoiser, tmp_path):
    data = RNG.integers(0, 65535, (40, 44)).astype(np.uint16)
    write_stack(tmp_path / "in" / "a.npy", data)
    found = {}
    for strength in (0.0, 0.5, 1.0):
        output = tmp_path / str(strength)
        settings = {"strength": strength, "dtype": "float32"}  # an integer would be clipped
        restore(denoiser, tmp_path / "in" / "a.npy", output, **settings)
        found[strength] = np.load(output / "a.npy")
    np.testing.assert_allclose(found[0.0], data, atol=0.01)
    np.testing.assert_allclose(found[0.5], (data + found[1.0]) / 2, atol=0.01)
    assert np.abs(found[1.0] - data).mean() > 1000


def test_raw_data_become_developed_pictures_beside_others_of_their_name(tmp_path):
    light = RNG.random((64, 96))
    for name in ("a.dng", "b.dng"):
        dng.write(tmp_path / "in" / name, light)
    image_files.write(tmp_path / "in" / "a.tif", np.zeros((64, 96, 1), np.uint8))
    model = factory.build("n2v_tf", width=4, depth=1, channels=1)
    said = restore(model, tmp_path / "in", tmp_path / "out", dtype="uint16")
    written = {path.name: tifffile.imread(path) for path in (tmp_path / "out").iterdir()}
    assert set(written) == {"a.dng.tif", "a.tif", "b.tif"}
    assert written["b.tif"].shape == (64, 96, 3) and written["b.tif"].dtype == np.uint16
    assert f"{tmp_path / 'in' / 'b.dng'} -> {tmp_path / 'out' / 'b.tif'}" in said[-1]
