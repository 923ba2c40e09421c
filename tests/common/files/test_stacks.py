"""common.stacks, common.tiffs: axes, types and pixel sizes there and back; odd files named."""

import numpy as np
import pytest
import tifffile

from common.data import own_files
from common.files import image_files, stacks
from common.files.errors import ImageError

RNG = np.random.default_rng(0)


def array(*shape, dtype=np.uint16):
    return RNG.integers(0, 99, shape).astype(dtype)


def round_trip(source, target, *, spatial=2, channels=1, axes=None):
    """Reads, doubles every value, writes; gives the Stack."""
    stack = stacks.read(source, axes)
    items = stack.items(spatial, channels)
    stacks.write(target, stack, stack.like((2 * items).astype(items.dtype)))
    return stack


@pytest.mark.parametrize(
    ("shape", "axes", "channels", "items"),
    [
        ((20, 30), "YX", 1, (1, 20, 30, 1)),
        ((5, 20, 30), "TYX", 1, (5, 20, 30, 1)),
        ((5, 20, 30), "ZYX", 1, (5, 20, 30, 1)),
        ((3, 4, 20, 30), "TZYX", 1, (12, 20, 30, 1)),
        ((2, 20, 30), "CYX", 2, (1, 20, 30, 2)),
        ((2, 20, 30), "CYX", 1, (2, 20, 30, 1)),
        ((3, 2, 20, 30), "TCYX", 2, (3, 20, 30, 2)),
    ],
)
def test_imagej_hyperstacks_keep_axes_type_and_pixel_size(tmp_path, shape, axes, channels, items):
    data = array(*shape)
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    told = {"axes": axes, "unit": "um", "spacing": 0.3, "finterval": 1.5}
    tifffile.imwrite(source, data, imagej=True, resolution=(9.0, 9.0), metadata=told)
    stack = round_trip(source, target, channels=channels)
    assert stack.items(2, channels).shape == items
    with tifffile.TiffFile(target) as tiff:
        np.testing.assert_array_equal(tiff.asarray(), 2 * data)
        assert tiff.series[0].axes == axes
        assert tiff.series[0].dtype == np.uint16
        assert (tiff.imagej_metadata["unit"], tiff.imagej_metadata["spacing"]) == ("um", 0.3)
        assert tiff.pages[0].resolution == pytest.approx((9.0, 9.0))


def test_ome_files_keep_the_names_of_channels(tmp_path):
    told = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(tmp_path / "in.ome.tif", array(2, 20, 30), metadata=told)
    round_trip(tmp_path / "in.ome.tif", tmp_path / "out.ome.tif", channels=2)
    with tifffile.TiffFile(tmp_path / "out.ome.tif") as tiff:
        found = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]["Channel"]
    assert [channel["Name"] for channel in found] == ["DAPI", "GFP"]


def test_a_plain_file_that_is_called_ome_stays_plain(tmp_path):
    data = array(3, 20, 30)
    tifffile.imwrite(tmp_path / "in.tif", data, photometric="minisblack")
    round_trip(tmp_path / "in.tif", tmp_path / "out.ome.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.ome.tif"), 2 * data)


def test_ome_files_keep_theirs(tmp_path):
    data = array(3, 4, 20, 30)
    told = {"axes": "TZYX", "PhysicalSizeX": 0.11, "PhysicalSizeXUnit": "µm", "TimeIncrement": 2.0}
    tifffile.imwrite(tmp_path / "in.ome.tif", data, metadata=told)
    stack = round_trip(tmp_path / "in.ome.tif", tmp_path / "out.ome.tif", spatial=3)
    assert stack.items(3, 1).shape == (3, 4, 20, 30, 1)
    with tifffile.TiffFile(tmp_path / "out.ome.tif") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), 2 * data)
        assert tiff.series[0].axes == "TZYX"
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["TimeIncrement"]) == (0.11, 2.0)


@pytest.mark.parametrize(
    ("shape", "axes", "spatial", "channels", "items"),
    [
        ((20, 30, 5), "YXC", 2, 5, (1, 20, 30, 5)),
        ((20, 30, 3), "YXT", 2, 1, (3, 20, 30, 1)),
        ((2, 4, 20, 30), "CZYX", 3, 2, (1, 4, 20, 30, 2)),
        ((20, 30), "XY", 2, 1, (1, 30, 20, 1)),
    ],
)
def test_axes_can_be_named(tmp_path, shape, axes, spatial, channels, items):
    data = array(*shape)
    np.save(tmp_path / "a.npy", data)
    settings = {"spatial": spatial, "channels": channels, "axes": axes}
    stack = round_trip(tmp_path / "a.npy", tmp_path / "b.npy", **settings)
    assert stack.items(spatial, channels).shape == items
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), 2 * data)


def test_the_trainings_axes_hold_where_a_file_says_nothing(tmp_path):
    np.save(tmp_path / "a.npy", array(5, 20, 30))
    assert stacks.read(tmp_path / "a.npy", usual="ZYX").items(3, 1).shape == (1, 5, 20, 30, 1)
    assert stacks.read(tmp_path / "a.npy", usual="TZYX").axes == "QYX"
    image_files.write(tmp_path / "a.png", array(20, 30, 3, dtype=np.uint8))
    assert stacks.read(tmp_path / "a.png", usual="TYX").axes == "YXS"
    with pytest.raises(ValueError, match="dims='YYX'"):
        stacks.read(tmp_path / "a.npy", "YYX")


def test_pages_taken_for_colour_come_back_as_pages(tmp_path):
    pages = array(3, 20, 30, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb", planarconfig="separate")
    round_trip(tmp_path / "a.tif", tmp_path / "b.tif", axes="TYX")
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), 2 * pages)
        assert tiff.series[0].axes == "TYX"


def test_planar_colour_and_alpha_survive(tmp_path):
    planar = array(3, 20, 30, dtype=np.uint8)
    options = {"photometric": "rgb", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "a.tif", planar, **options)
    stack = round_trip(tmp_path / "a.tif", tmp_path / "b.tif", channels=3)
    assert stack.items(2, 3).shape == (1, 20, 30, 3)
    np.testing.assert_array_equal(
        image_files.read_one(tmp_path / "b.tif"), 2 * planar.transpose(1, 2, 0)
    )
    picture = array(20, 30, 4, dtype=np.uint8)
    image_files.write(tmp_path / "a.png", picture)
    round_trip(tmp_path / "a.png", tmp_path / "b.png", channels=3)
    back = image_files.read_one(tmp_path / "b.png")
    np.testing.assert_array_equal(back[..., :3], 2 * picture[..., :3])
    np.testing.assert_array_equal(back[..., 3], picture[..., 3])


def test_pages_of_different_shapes_are_refused_not_dropped(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for i in range(40):
            tiff.write(array(16 + i % 3, 20), contiguous=False)
    with pytest.raises(ImageError, match=r"a.tif: .*pages of 3 different kinds.*16x20"):
        image_files.load(tmp_path / "a.tif")


def test_a_thumbnail_is_no_page(tmp_path):
    photo = array(64, 64, dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(photo)
        tiff.write(photo[::8, ::8], subfiletype=1)
    np.testing.assert_array_equal(image_files.read_one(tmp_path / "a.tif")[..., 0], photo)


@pytest.mark.parametrize(
    ("shape", "axes", "spatial", "channels", "message"),
    [
        ((20, 30), "ZYX", 3, 1, "2 axes; dims=ZYX names 3"),
        ((4, 20, 30), "TYX", 3, 1, "axes TYX, no Z; name the axes with --dims"),
        ((20, 30, 3), "YXC", 2, 1, "3 channels, this model is for 1"),
        ((20, 30), "YX", 2, 2, "1 channels, this model is for 2"),
    ],
)
def test_axes_that_do_not_fit_are_named(tmp_path, shape, axes, spatial, channels, message):
    np.save(tmp_path / "a.npy", array(*shape))
    with pytest.raises(ImageError, match=message):
        stacks.read(tmp_path / "a.npy", axes).items(spatial, channels)


def test_a_folder_by_pattern_with_bad_files_left_out(tmp_path):
    np.save(tmp_path / "a.npy", array(2, 20, 30))
    np.save(tmp_path / "b.npy", np.full((20, 30), np.nan))
    tifffile.imwrite(tmp_path / "c.tif", array(20, 30))
    found = own_files.load(tmp_path, axes=None)
    assert found.names == ["a-0000", "a-0001", "c"]
    assert own_files.load(tmp_path, pattern="*.tif").names == ["c"]
    with pytest.raises(ImageError, match=r"no images that match '\*.png'"):
        own_files.load(tmp_path, pattern="*.png")


def test_a_view_reads_and_writes_parts_of_arrays_that_stay_in_their_file(tmp_path):
    data = array(3, 2, 40, 50)
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata={"axes": "TCYX"})
    stack = stacks.read(tmp_path / "a.tif", max_bytes=100)
    assert not isinstance(stack.array, np.ndarray)
    view = stack.view(2, 2)
    assert (view.count, view.sides, view.dtype) == (3, (40, 50), np.uint16)
    region = (slice(3, 11), slice(5, 50))
    expected = data[1, :, 3:11, 5:].transpose(1, 2, 0)
    np.testing.assert_array_equal(view.read(1, region), expected)
    whole = (slice(0, 40), slice(0, 50))
    with stacks.writing(tmp_path / "b.tif", stack, np.uint16) as target:
        for number in range(3):
            view.write(target, number, whole, view.read(number, whole) + 1)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), data + 1)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.is_imagej and tiff.series[0].axes == "TCYX"
    with (
        pytest.raises(ZeroDivisionError),
        stacks.writing(tmp_path / "c.tif", stack, np.uint16),
    ):
        _ = 1 / 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "b.tif"]


def test_files_that_claim_more_than_they_hold_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", array(64, 64))
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match="cut off"):
        stacks.read(tmp_path / "a.tif")
    # A blank picture of 400 MB in the smallest file that can say so.
    blank = {"shape": (20000, 20000), "dtype": np.uint8, "compression": "zlib"}
    tifffile.imwrite(tmp_path / "b.tif", iter([b"\0" * 99]), rowsperstrip=20000, **blank)
    with pytest.raises(ImageError, match="claims an image of 400 MB, but holds"):
        stacks.read(tmp_path / "b.tif")


@pytest.mark.parametrize("size", [0.5, "abc"])
def test_enlarged_stacks_have_smaller_pixels(tmp_path, size):
    source, target = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    given = array(2, 6, 8)
    metadata = {"axes": "TYX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    tifffile.imwrite(source, given, ome=True, metadata=metadata)
    stack = stacks.read(source)
    larger = stack.items(2, 1).repeat(3, axis=1).repeat(3, axis=2)
    stacks.write(target, stack.enlarged(3), stack.like(larger, 3))
    found = stacks.read(target)
    np.testing.assert_array_equal(found.array, given.repeat(3, axis=1).repeat(3, axis=2))
    expected = size if size == "abc" else pytest.approx(size / 3)
    assert found.metadata.properties["PhysicalSizeX"] == expected
    assert stack.enlarged(1) is stack


def test_imagej_shows_a_restored_file_as_it_showed_the_file(tmp_path):
    """Composite colours, tables of colours and the ranges of brightness stay."""
    colours = [np.stack([np.arange(256) * (i == k) for i in range(3)]) for k in range(2)]
    shown = {"mode": "composite", "Ranges": (100.0, 3000.0, 50.0, 2000.0)}
    told = shown | {"axes": "TCYX", "LUTs": [table.astype(np.uint8) for table in colours]}
    data = RNG.integers(0, 4000, (3, 2, 20, 24)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata=told)
    stack = stacks.read(tmp_path / "a.tif")
    stacks.write(tmp_path / "b.tif", stack, stack.array)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        found = tiff.imagej_metadata
    assert {name: found[name] for name in shown} == shown
    np.testing.assert_array_equal(found["LUTs"], told["LUTs"])
    assert (
        "ROI" not in stack.metadata.replace(properties={"ROI": b"x"}).smaller_pixels(2).properties
    )
