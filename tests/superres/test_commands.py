"""The commands of super-resolution as a user runs them."""

import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from common.files import image_files
from tests.conftest import TINY

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_command):
    run_dir = tmp_path_factory.mktemp("superres") / "run"
    done = run_command("superres.train", f"--run_dir={run_dir}", *TINY)
    assert done.returncode == 0, done.stderr
    return run_dir


def test_evaluate_beside_bicubic(run, tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (33, 40, 3), np.uint8))
    flags = [f"--run_dir={run}", f"--dataset={tmp_path}/set", "--noise=gauss20"]
    flags += ["--baselines=all", f"--output={tmp_path}/pictures"]
    done = run_command("superres.evaluate", *flags)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"psnr=([\d.]+) .*method=(\w+)", done.stdout)
    scores = {name: float(psnr) for psnr, name in found}
    assert set(scores) == {"enlarged", "bicubic", "lanczos"}
    assert scores["bicubic"] > scores["enlarged"]
    enlarged = image_files.read_one(tmp_path / "pictures" / "a-enlarged.png")
    assert enlarged.shape == (32, 40, 3)  # cut to what the scale divides


def test_restore_enlarges_files_and_keeps_what_they_are(run, tmp_path, run_command):
    rgba = RNG.integers(0, 255, (20, 33, 4), np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(rgba).save(tmp_path / "in" / "a.png")
    stack = RNG.integers(0, 255, (2, 20, 33, 3), np.uint8)
    tifffile.imwrite(
        tmp_path / "in" / "b.tif",
        stack,
        imagej=True,
        resolution=(5.0, 4.0),
        metadata={"axes": "TYXS", "unit": "um"},
    )
    image_files.write(tmp_path / "in" / "c.png", RNG.integers(0, 255, (9, 9, 1), np.uint8))
    flags = [f"--run_dir={run}", f"--output={tmp_path}/out"]
    done = run_command("superres.restore", *flags, f"--input={tmp_path}/in")
    assert done.returncode == 1
    assert "c.png: 1 channels, this model is for 3" in done.stdout
    picture = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert picture.shape == (40, 66, 4) and picture.dtype == np.uint8
    alpha = rgba[..., 3].repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(picture[..., 3], alpha)
    with tifffile.TiffFile(tmp_path / "out" / "b.tif") as tiff:
        assert tiff.series[0].axes == "TYXS" and tiff.series[0].dtype == np.uint8
        assert tiff.series[0].shape == (2, 40, 66, 3)
        tags = tiff.pages[0].tags
        pairs = (tags[f"{axis}Resolution"].value for axis in "XY")
        assert [a / b for a, b in pairs] == [10.0, 8.0]
        whole = tiff.asarray()
    # In parts too, read from the file and written into it.
    parts = ["--memory_gb=0.01", "--halo=400"]
    done = run_command(
        "superres.restore",
        f"--run_dir={run}",
        f"--output={tmp_path}/parts",
        f"--input={tmp_path}/in/b.tif",
        *parts,
    )
    assert done.returncode == 0, done.stderr
    found = tifffile.imread(tmp_path / "parts" / "b.tif")
    assert np.abs(found.astype(int) - whole).max() <= 1
    done = run_command("superres.export", f"--run_dir={run}", f"--output={tmp_path}/model")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()


def test_training_on_a_single_image(tmp_path, run_command):
    image_files.write(tmp_path / "photo.png", RNG.integers(0, 255, (80, 70, 3), np.uint8))
    flags = ["--config=single_image", f"--train_set={tmp_path}/photo.png", *TINY]
    done = run_command("superres.train", f"--run_dir={tmp_path}/run", *flags)
    assert done.returncode == 0, done.stderr
    assert "Training on 4 images" in done.stdout  # itself and three copies


def test_what_has_no_room_or_sense_is_refused(run, tmp_path, run_command):
    image_files.write(tmp_path / "in" / "a.png", RNG.integers(0, 255, (9, 9, 3), np.uint8))
    image_files.write(tmp_path / "in" / "wide.webp", np.zeros((1, 9000, 3), np.uint8))
    flags = [f"--run_dir={run}", f"--output={tmp_path}/out", f"--input={tmp_path}/in"]
    done = run_command("superres.restore", *flags)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "wide.webp: .webp can't hold it, 2x18000 pixels" in done.stdout
    assert (tmp_path / "out" / "a.png").is_file()
    flags = [f"--run_dir={run}", f"--dataset={tmp_path}/in", f"--reference={tmp_path}/in"]
    done = run_command("superres.evaluate", *flags)
    assert done.returncode == 1
    assert "reference: this model is scored on images that it shrinks itself" in done.stderr


def test_train_refuses_in_one_line(tmp_path, run_command):
    for flags, message in (
        (["--scale=5"], "scale=5: expected 2, 3, 4"),
        (["--scale=3", "--crop_size=64"], "expected a multiple of scale=3 too"),
        (["--learner=n2v", "--target=noisy_hr"], "it learns from the noisy image itself"),
        (["--train_set=/nonexistent"], "/nonexistent: no such file"),
    ):
        done = run_command("superres.train", f"--run_dir={tmp_path}/run", *flags)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert message in done.stderr
        assert not (tmp_path / "run").exists()
