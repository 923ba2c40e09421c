"""common.files.listing: what a folder holds, what of it is left out, and why."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from common.files import image_files, listing, raws
from common.files.errors import ImageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("a.png", "B.TIF", "c.avif", "sub/d.png", "sub/deep/e.jpg", ".hidden/f.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image_files.write(path, np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setattr(raws, "is_installed", lambda: False)
    Image.new("P", (8, 8)).save(tmp_path / "g.gif")
    for name in ("raw.CR2", "raw2.cr2", "notes.txt", "sub/more.nef", ".DS_Store"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_a_folder_without_and_with_its_sub_folders(folder):
    flat = listing.images_of(folder)
    assert [str(file.below) for file in flat] == ["B.TIF", "a.png", "c.avif"]
    deep = listing.images_of(folder, recursive=True)
    assert {str(file.below) for file in deep} - {str(file.below) for file in flat} == {
        "sub/d.png",
        "sub/deep/e.jpg",
    }
    assert all(file.path == folder / file.below for file in deep)
    (single,) = listing.images_of(folder / "sub" / "d.png", recursive=True)
    assert single.below == pathlib.Path("d.png")


def test_files_that_differ_in_their_suffix_alone_are_marked(folder):
    image_files.write(folder / "a.tif", np.zeros((8, 8, 1), np.uint8))
    marked = listing.marked(listing.images_of(folder))
    assert {file.path.name: file.is_alone for file in marked} == {
        **dict.fromkeys(("a.png", "a.tif"), False),
        **dict.fromkeys(("B.TIF", "c.avif"), True),
    }


def test_results_lie_beside_what_was_named_or_in_a_folder(folder):
    def below(path):
        return str(path.relative_to(folder.parent)).replace(folder.name, "F")

    (named,) = listing.images_of(folder / "sub" / "d.png")
    assert below(named.result(None)) == "F/sub/d-denoised.png"
    assert below(named.result(None, ".tif")) == "F/sub/d-denoised.tif"
    assert below(named.beside(None, "-std.tif")) == "F/sub/d-std.tif"
    assert named.result("out") == pathlib.Path("out/d.png")
    ome = listing.ImagePath(folder / "c.ome.tif", pathlib.Path("c.ome.tif"))
    assert below(ome.result(None)) == "F/c-denoised.ome.tif"
    assert ome.result("out") == pathlib.Path("out/c.ome.tif")
    root = listing.ImagePath(
        pathlib.Path("/a.png"), pathlib.Path("a.png"), folder=pathlib.Path("/")
    )
    assert root.result(None) == pathlib.Path("/files-denoised/a.png")
    inside = listing.images_of(folder, recursive=True)
    assert {below(file.result(None)) for file in inside} == {
        f"F-denoised/{name}" for name in ("B.TIF", "a.png", "c.avif", "sub/d.png", "sub/deep/e.jpg")
    }
    image_files.write(folder / "a.tif", np.zeros((8, 8, 1), np.uint8))
    twins = listing.marked(
        [file for n in ("a.png", "a.tif") for file in listing.images_of(folder / n)]
    )
    assert [below(file.result(None, ".tif")) for file in twins] == [
        "F/a.png-denoised.tif",
        "F/a.tif-denoised.tif",
    ]


def test_results_of_an_earlier_run_are_no_originals(folder):
    for name in ("a-denoised.png", "a-std.tif", "other-denoised.png"):
        image_files.write(folder / name, np.zeros((8, 8, 1), np.uint8))
    (named,) = listing.without_results(listing.images_of(folder / "a-denoised.png"))
    assert named.is_named
    (folder / "sub-denoised").mkdir()
    image_files.write(folder / "sub-denoised" / "d.png", np.zeros((8, 8, 1), np.uint8))
    deep = listing.images_of(folder, recursive=True)
    assert not [file for file in deep if "sub-denoised" in str(file.path)]
    kept = listing.without_results(listing.images_of(folder))
    assert [file.path.name for file in kept] == ["B.TIF", "a.png", "c.avif", "other-denoised.png"]


def test_what_is_left_out_is_counted_with_its_reason(folder):
    assert listing.left_out(folder) == [
        f"{folder}: left out 2 .cr2 files: raw data of a camera, which need the extra `raw`.",
        f"{folder}: left out 1 .gif file: few colours and maybe frames; save it as PNG.",
        f"{folder}: left out 1 .txt file: no image known here.",
        f"{folder}: left out 1 sub-folder; --recursive enters them.",
    ]
    deep = listing.left_out(folder, recursive=True)
    assert deep[:3] == listing.left_out(folder)[:3] and len(deep) == 4
    assert deep[3].startswith(f"{folder / 'sub'}: left out 1 .nef file: raw data")
    assert listing.left_out(folder / "a.png") == []


def test_links_runs_results_and_hidden_files_are_not_entered(folder):
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "run").mkdir()
    (folder / "run" / "config.json").write_text("{}")
    for name in ("run/sample.png", "restored/a.png", "._a.png"):
        image_files.write(folder / name, np.zeros((8, 8, 3), np.uint8))
    before = {"B.TIF", "a.png", "c.avif", "sub/d.png", "sub/deep/e.jpg"}
    entered = listing.images_of(folder, recursive=True, without=folder / "restored")
    assert {str(file.below) for file in entered} == before


def test_a_folder_without_images_is_refused_with_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(raws, "is_installed", lambda: False)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.cr2").write_bytes(b"x")
    with pytest.raises(ImageError, match="left out 1 .cr2 file: raw data of a camera"):
        listing.images_of(tmp_path)
    for recursive in (False, True):
        with pytest.raises(ImageError, match="no images in this folder"):
            listing.images_of(tmp_path, recursive=recursive)
