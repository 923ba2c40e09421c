"""common.files.image_files and pixels: every file type there and back, ranges, bad files."""

import struct
import sys

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from common.files import image_files, listing, pixels, stacks
from common.files.errors import ImageError

RNG = np.random.default_rng(0)


def picture(height=20, width=30, channels=3, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


@pytest.mark.parametrize(
    ("suffix", "channels", "dtype"),
    [
        (".png", 1, np.uint8),
        (".png", 3, np.uint8),
        (".png", 4, np.uint8),
        (".png", 1, np.uint16),
        (".tif", 1, np.uint8),
        (".tif", 3, np.uint16),
        (".tif", 1, np.uint16),
        (".tif", 2, np.uint8),
        (".tif", 4, np.uint16),
        (".npy", 3, np.uint16),
        (".bmp", 3, np.uint8),
    ],
)
def test_a_lossless_file_comes_back_as_it_was(tmp_path, suffix, channels, dtype):
    array = picture(channels=channels, dtype=dtype)
    path = tmp_path / f"a{suffix}"
    image_files.write(path, array)
    back = image_files.read_one(path)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == dtype


def test_float_tiff_and_stacks_keep_their_values(tmp_path):
    stack = RNG.standard_normal((5, 20, 30, 1)).astype(np.float32)
    image_files.write(tmp_path / "stack.tif", stack)
    np.testing.assert_array_equal(image_files.read(tmp_path / "stack.tif"), stack)
    with pytest.raises(ImageError, match="5 pages"):
        image_files.read_one(tmp_path / "stack.tif")


@pytest.mark.parametrize("compression", ["zlib", None])
def test_damaged_bytes_are_always_an_image_error(tmp_path, compression):
    path = tmp_path / "fuzzed.tif"
    tifffile.imwrite(path, picture(32, 32), photometric="rgb", compression=compression)
    whole = path.read_bytes()
    for _ in range(100):
        damaged = bytearray(whole)
        for position in RNG.integers(0, len(whole), 5):
            damaged[position] = RNG.integers(256)
        path.write_bytes(damaged)
        try:
            image_files.read(path)
        except ImageError as error:
            assert "fuzzed.tif" in str(error)


def test_lzw_tiff_as_photo_editors_write_it(tmp_path):
    array = picture()
    Image.fromarray(array).save(tmp_path / "a.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(image_files.read_one(tmp_path / "a.tif"), array)


def test_bytes_in_the_other_order(tmp_path):
    np.save(tmp_path / "a.npy", picture(dtype=np.uint16).astype(">u2"))
    assert image_files.read(tmp_path / "a.npy").dtype == np.uint16


def test_a_jpeg_comes_back_nearly_as_it_was_written(tmp_path):
    smooth = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8)[:, None], (64, 64, 3))
    image_files.write(tmp_path / "a.jpg", smooth)
    assert np.abs(image_files.read_one(tmp_path / "a.jpg").astype(int) - smooth).max() < 12


def test_exif_orientation_turns_the_picture_upright(tmp_path):
    array = picture(20, 30)
    exif = Image.Exif()
    exif[274] = 6  # the camera lay on its side
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(image_files.read_one(tmp_path / "a.png"), np.rot90(array, -1))


def test_palette_and_bilevel_pictures_become_plain_ones(tmp_path):
    Image.fromarray(picture()).convert("P").save(tmp_path / "p.png")
    assert image_files.read_one(tmp_path / "p.png").shape == (20, 30, 3)
    Image.fromarray(picture(channels=1)[..., 0] > 127).save(tmp_path / "b.png")
    assert set(np.unique(image_files.read_one(tmp_path / "b.png"))) == {0, 255}


def test_tiff_axes_other_than_colour_become_pages(tmp_path):
    array = picture(16, 18, 24, np.uint16).transpose(2, 0, 1).reshape(2, 3, 4, 16, 18)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "TZCYX"})
    assert image_files.read(tmp_path / "a.tif").shape == (24, 16, 18, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_survive_the_unit_range(dtype):
    array = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    np.testing.assert_array_equal(pixels.from_unit(pixels.to_unit(array), dtype), array)


def test_white_level_is_what_stands_for_one():
    array = np.array([0, 2048, 4095], np.uint16)
    np.testing.assert_allclose(pixels.to_unit(array, 4095), [0, 2048 / 4095, 1], rtol=1e-6)
    np.testing.assert_array_equal(
        pixels.from_unit(pixels.to_unit(array, 4095), np.uint16, 4095), array
    )
    np.testing.assert_array_equal(pixels.from_unit(np.array([-0.5, 1.5]), np.uint8), [0, 255])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"", "empty file"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"x" * 20, "not readable"),
        ("a.jpg", b"no picture at all", "not readable"),
        ("a.tif", b"II*\x00" + b"\xff" * 8, "not readable"),
        ("a.tif", b"MM nonsense", "not readable"),
        ("a.npy", b"\x93NUMPY\x01\x00", "not readable"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=f"{name}.*{message}"):
        image_files.read(tmp_path / name)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_truncated_files_are_named(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    image_files.write(path, picture(64, 64))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ImageError, match="cut"):
        image_files.read(path)


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ImageError, match="not readable"):
        image_files.read(tmp_path / "a.npy")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    array = np.ones((8, 8), np.float32)
    array[3, 4] = value
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ImageError, match="1 NaN or infinite"):
        image_files.read(tmp_path / "a.npy")


def test_a_type_the_format_cannot_hold_is_refused_and_leaves_nothing(tmp_path):
    for name, array in (
        ("a.jpg", np.zeros((4, 4, 3), np.uint16)),
        ("a.png", np.zeros((4, 4, 3), np.float32)),
        ("a.png", np.zeros((2, 4, 4, 3), np.uint8)),
    ):
        with pytest.raises(ImageError, match="use .tif"):
            image_files.write(tmp_path / name, array)
    with pytest.raises(ImageError, match="unknown suffix"):
        image_files.write(tmp_path / "a.xyz", np.zeros((4, 4, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_sixteen_bit_colour_png_is_not_halved(tmp_path):
    import struct
    import zlib

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    rows = b"".join(b"\0" + bytes(range(12)) for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    (tmp_path / "deep.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    stored = np.frombuffer(bytes(range(12)), ">u2").reshape(2, 3)
    back = image_files.read_one(tmp_path / "deep.png")
    np.testing.assert_array_equal(back, np.stack([stored, stored]))


def test_without_imagecodecs_colour_png_of_16_bits_is_refused(tmp_path, monkeypatch):
    array = np.full((4, 4, 3), 1000, np.uint16)
    image_files.write(tmp_path / "a.png", array)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(ImageError, match="needs the extra `png16`; or use .tif"):
        image_files.read(tmp_path / "a.png")
    with pytest.raises(ImageError, match="needs the extra `png16`"):
        image_files.write(tmp_path / "b.png", array)


def test_channel_conversion():
    rgba = np.array([[[10, 20, 31, 255]]], np.uint8)
    assert pixels.to_channels(rgba, 3).tolist() == [[[10, 20, 31]]]
    assert pixels.to_channels(rgba, 1).tolist() == [[[20]]]  # 20.33, rounded
    assert pixels.to_channels(rgba[..., :1], 3).tolist() == [[[10, 10, 10]]]
    with pytest.raises(ImageError, match="5 channels"):
        pixels.to_channels(np.zeros((4, 4, 5)), 3)


def test_folders_globs_and_files_are_listed_and_nothing_is_named(tmp_path):
    for name in ("b.png", "a.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [p.name for p in listing.list_files(tmp_path)] == ["a.jpg", "b.png"]
    assert [p.name for p in listing.list_files(f"{tmp_path}/*.png")] == ["b.png"]
    (tmp_path / "none").mkdir()
    for pattern, message in (
        ("none", "no images in this folder"),
        ("*.bmp", "no file matches"),
        ("missing", "no such file or folder"),
    ):
        with pytest.raises(ImageError, match=message):
            listing.list_files(f"{tmp_path}/{pattern}")


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1), st.sampled_from([np.uint8, np.uint16]))
def test_rounding_is_to_the_nearest(value, dtype):
    top = np.iinfo(dtype).max
    assert abs(float(pixels.from_unit(np.array(value), dtype)) - value * top) <= 0.5 + 1e-9


@pytest.fixture
def without_imagecodecs(monkeypatch):
    """tifffile as it is where imagecodecs is not installed: it can't decode LZW."""

    def refuse(self, **unused):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", refuse)


def test_an_lzw_tiff_keeps_its_colour_profile_and_resolution(tmp_path, without_imagecodecs):
    """Pillow decodes it; what the file says about itself must not get lost."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source, target = tmp_path / "a.tif", tmp_path / "b.tif"
    pixels_of_it = picture()
    Image.fromarray(pixels_of_it).save(
        source, compression="tiff_lzw", icc_profile=profile, dpi=(300, 150)
    )
    array, axes, metadata = image_files.load(source)
    np.testing.assert_array_equal(array, pixels_of_it)
    assert metadata.icc_profile == profile
    assert metadata.resolution == (300.0, 150.0) and metadata.resolution_unit == 2
    stack = stacks.read(source)
    stacks.write(target, stack, array)
    with tifffile.TiffFile(target) as tiff:
        tags = tiff.pages[0].tags
        assert bytes(tags["InterColorProfile"].value) == profile
        assert tags["XResolution"].value == (300, 1)


def test_an_lzw_tiff_that_lies_on_its_side_or_is_cmyk_comes_upright_in_rgb(
    tmp_path, without_imagecodecs
):
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "a.tif"
    Image.fromarray(picture(20, 30)).save(path, compression="tiff_lzw", dpi=(300, 150), exif=exif)
    array, _, metadata = image_files.load(path)
    assert array.shape == (30, 20, 3)
    assert metadata.orientation is None and metadata.resolution == (150.0, 300.0)
    Image.fromarray(picture(channels=4), "CMYK").save(
        path, compression="tiff_lzw", icc_profile=b"a profile of inks"
    )
    array, _, metadata = image_files.load(path)
    assert array.shape == (20, 30, 3) and metadata.icc_profile is None


def test_colour_png_of_16_bits_comes_back_with_its_profile(tmp_path):
    from PIL import Image, ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for channels in (2, 3, 4):
        array = RNG.integers(0, 65536, (9, 7, channels), np.uint16)
        path = tmp_path / f"{channels}.png"
        image_files.write(path, array, image_files.Metadata(icc_profile=profile))
        back, axes, metadata = image_files.load(path)
        np.testing.assert_array_equal(back, array)
        assert (back.dtype, axes, metadata.icc_profile) == (np.uint16, "YXS", profile)
        with Image.open(path) as picture:  # another reader finds the file whole
            picture.load()


@pytest.mark.parametrize("suffix", [".avif", ".heic"])
def test_formats_of_phones_come_back(tmp_path, suffix):
    y, x = np.mgrid[:64, :48]
    array = np.stack([2 * y, 3 * x, y + x], axis=-1).astype(np.uint8)
    image_files.write(tmp_path / f"a{suffix}", array)
    back = image_files.read_one(tmp_path / f"a{suffix}")
    assert back.shape == array.shape
    assert np.abs(back.astype(int) - array).mean() < 4


def test_a_jpeg_with_a_preview_behind_it_is_one_picture(tmp_path):
    from PIL import Image

    array = np.full((32, 24, 3), 90, np.uint8)
    pictures = [Image.fromarray(array), Image.fromarray(255 - array)]
    pictures[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=pictures[1:])
    np.testing.assert_allclose(image_files.read_one(tmp_path / "a.jpg"), array, atol=2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_png_of_16_bits_is_turned_upright_as_one_of_8(tmp_path, orientation):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "maker"
    small = RNG.integers(0, 256, (5, 7, 3), np.uint8)
    Image.fromarray(small).save(tmp_path / "8.png", exif=exif)
    stored = image_files.Metadata(exif=exif.tobytes())
    image_files.write(tmp_path / "16.png", small.astype(np.uint16) * 257, stored)
    eight, sixteen = (image_files.load(tmp_path / f"{bits}.png") for bits in (8, 16))
    np.testing.assert_array_equal(sixteen[0], eight[0].astype(np.uint16) * 257)
    for _, _, metadata in (eight, sixteen):
        kept = Image.Exif()
        kept.load(metadata.exif)
        assert (kept.get(0x0112, 1), kept[0x010F]) == (1, "maker")


def test_webp_stays_without_loss_and_frames_are_refused(tmp_path):
    from PIL import Image

    array = RNG.integers(0, 256, (16, 16, 3), np.uint8)
    for lossless in (True, False):
        profile = RNG.bytes(100_000)  # the image comes behind it
        Image.fromarray(array).save(tmp_path / "a.webp", lossless=lossless, icc_profile=profile)
        stored, _, metadata = image_files.load(tmp_path / "a.webp")
        assert metadata.lossless == lossless
        image_files.write(tmp_path / "b.webp", stored, metadata)
        same = np.array_equal(image_files.read_one(tmp_path / "b.webp"), stored)
        assert same == lossless
    frames = [Image.fromarray(array), Image.fromarray(255 - array)]
    frames[0].save(tmp_path / "c.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="c.webp: 2 frames; save each as a file of its own"):
        image_files.load(tmp_path / "c.webp")


def test_grey_by_luminance():
    colour = np.array([[[200, 100, 50]]], np.uint8)
    assert pixels.to_channels(colour, 1).tolist() == [[[117]]]  # 116.67
    assert pixels.to_channels(colour, 1, "luminance").tolist() == [[[124]]]  # 124.2
    unit = pixels.to_channels(colour / 255, 1, "luminance")
    assert unit.item() == pytest.approx((0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255)


def test_a_tiff_whose_pages_form_a_circle_is_refused(tmp_path):
    """tifffile follows such links for ever."""
    path = tmp_path / "circle.tif"
    page = struct.pack("<HHHIII", 1, 256, 4, 1, 8, 8)  # a tag, and the page that comes next
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + page)
    with pytest.raises(ImageError, match="in a circle"):
        image_files.read_one(path)
