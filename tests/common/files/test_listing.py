"""common.files.listing: what a folder holds, what of it is left out, and why."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from common.files import image_files, listing
from common.files.errors import ImageError


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "B.TIF", "c.avif", "sub/d.png", "sub/deep/e.jpg", ".hidden/f.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image_files.write(path, np.zeros((8, 8, 3), np.uint8))
    Image.new("P", (8, 8)).save(tmp_path / "g.gif")
    for name in ("raw.CR2", "raw2.cr2", "notes.txt", "sub/more.nef", ".DS_Store"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_a_folder_without_and_with_its_sub_folders(folder):
    flat = listing.found(folder)
    assert [str(file.below) for file in flat] == ["B.TIF", "a.png", "c.avif"]
    deep = listing.found(folder, recursive=True)
    assert {str(file.below) for file in deep} - {str(file.below) for file in flat} == {
        "sub/d.png",
        "sub/deep/e.jpg",
    }
    assert all(file.path == folder / file.below for file in deep)
    (single,) = listing.found(folder / "sub" / "d.png", recursive=True)
    assert single.below == pathlib.Path("d.png")


def test_what_is_left_out_is_counted_with_its_reason(folder):
    assert listing.left_out(folder) == [
        f"{folder}: 2 with .cr2 left out: raw data of a camera; develop it to a 16-bit TIFF first.",
        f"{folder}: 1 with .gif left out: has a palette; save it as PNG.",
        f"{folder}: 1 with .txt left out: no image known here.",
        f"{folder}: 1 sub-folders left out; --recursive takes them in.",
    ]
    deep = listing.left_out(folder, recursive=True)
    assert deep[:3] == listing.left_out(folder)[:3] and len(deep) == 4
    assert deep[3].startswith(f"{folder / 'sub'}: 1 with .nef left out: raw data")
    assert listing.left_out(folder / "a.png") == []


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "sub").mkdir()
    for recursive in (False, True):
        with pytest.raises(ImageError, match="no images in this folder"):
            listing.found(tmp_path, recursive)
