"""common.zarrs: plain arrays and OME-Zarr, axes and attributes kept, damage named."""

import json

import numpy as np
import pytest

from common.files import listing, stacks, zarrs
from common.files.errors import ImageError

zarr = pytest.importorskip("zarr")
RNG = np.random.default_rng(0)


def ome(path, data, version):
    """An OME-Zarr of two resolutions, axes t, c, z, y, x."""
    formats = {"0.4": 2, "0.5": 3}
    group = zarr.open_group(path, mode="w", zarr_format=formats[version])
    for level, step in enumerate((1, 2)):
        part = data[..., ::step, ::step]
        array = group.create_array(str(level), shape=part.shape, chunks=(1, 1, 1, 8, 8), dtype="u2")
        array[:] = part
    scales = [{"type": "scale", "scale": [1, 1, 2.0, 0.5, 0.5]}]
    image = {
        "axes": [{"name": n, "type": "space" if n in "zyx" else n} for n in "tczyx"],
        "datasets": [{"path": str(i), "coordinateTransformations": scales} for i in (0, 1)],
    }
    told = {"multiscales": [image], "omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}}
    group.attrs.update({"ome": told | {"version": version}} if version == "0.5" else told)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("max_bytes", [None, 100])
def test_ome_zarr_there_and_back(tmp_path, version, max_bytes):
    data = RNG.integers(0, 999, (2, 2, 3, 20, 30)).astype(np.uint16)
    ome(tmp_path / "a.zarr", data, version)
    stack = stacks.read(tmp_path / "a.zarr", max_bytes=max_bytes)
    assert stack.axes == "TCZYX"
    view = stack.view(3, 2)
    whole = tuple(slice(0, side) for side in view.sides)
    assert (view.count, view.sides) == (2, (3, 20, 30))
    with stacks.writing(tmp_path / "b.zarr", stack, np.uint16) as target:
        for number in range(view.count):
            view.write(target, number, whole, view.read(number, whole) + 1)
    group = zarr.open(tmp_path / "b.zarr", mode="r")
    np.testing.assert_array_equal(group["0"][...], data + 1)
    assert list(group.array_keys()) == ["0"]
    assert group["0"].chunks == (1, 1, 1, 8, 8)
    told = group.attrs.asdict()
    told = told.get("ome", told)
    assert [c["label"] for c in told["omero"]["channels"]] == ["DAPI", "GFP"]
    (dataset,) = told["multiscales"][0]["datasets"]
    assert dataset["coordinateTransformations"][0]["scale"][-1] == 0.5


def test_plain_arrays_take_the_axes_that_are_named(tmp_path):
    data = RNG.random((4, 20, 30)).astype(np.float32)
    zarr.create_array(str(tmp_path / "a.zarr"), data=data, chunks=(1, 16, 16))
    assert stacks.read(tmp_path / "a.zarr").axes == "QYX"
    stack = stacks.read(tmp_path / "a.zarr", "ZYX")
    np.testing.assert_array_equal(stack.items(3, 1)[0, ..., 0], data)
    assert listing.list_files(tmp_path) == [tmp_path / "a.zarr"]
    assert listing.list_files(tmp_path / "a.zarr") == [tmp_path / "a.zarr"]


def test_damage_is_named(tmp_path):
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.ones((64, 64), "f4"))
    told = tmp_path / "a.zarr" / "zarr.json"
    good = json.loads(told.read_text())
    told.write_text(json.dumps(good | {"shape": [10**6, 10**6]}))
    with pytest.raises(ImageError, match="a.zarr.*claims an image of 4000000 MB"):
        stacks.read(tmp_path / "a.zarr", max_bytes=10**6)
    told.write_text(json.dumps(good)[:50])
    with pytest.raises(ImageError, match="a.zarr: not readable"):
        stacks.read(tmp_path / "a.zarr")
    told.unlink()
    with pytest.raises(ImageError, match="a.zarr: not readable"):
        stacks.read(tmp_path / "a.zarr")
    zarr.open_group(tmp_path / "b.zarr", mode="w")
    with pytest.raises(ImageError, match="a group, no array"):
        stacks.read(tmp_path / "b.zarr")


def test_smaller_pixels_of_ome_zarr_and_what_is_damaged_stays():
    def attributes(changes):
        axes = [{"name": name} for name in "tyx"]
        image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": changes}]}
        return {"multiscales": [image]}

    def changed(changes):
        found = zarrs.smaller_pixels(attributes(changes), 2)
        return found["multiscales"][0]["datasets"][0]["coordinateTransformations"]

    scale, translation = [1.0, 0.5, 0.25], [0.0, 10.0, 20.0]
    found = changed(
        [{"type": "scale", "scale": scale}, {"type": "translation", "translation": translation}]
    )
    assert found[0]["scale"] == [1.0, 0.25, 0.125]
    # The middle of the first pixel lies a quarter of an old one before.
    assert found[1]["translation"] == [0.0, 10.0 - 0.125, 20.0 - 0.0625]
    for odd in (None, ["a"], [{"type": "scale", "path": "p"}], [{"scale": ["a", "b", "c"]}]):
        assert changed(odd) == odd
