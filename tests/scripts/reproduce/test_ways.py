"""scripts.reproduce.ways: the yardsticks of a calibration are what they claim to be."""

import csv
import json
import types

import numpy as np
import pytest

from common.evaluation import quality
from common.files import image_files
from scripts.reproduce import trainings, ways


@pytest.mark.parametrize(("photons", "read"), [(10, 2 / 255), (100, 15 / 255), (30, 0.0)])
@pytest.mark.parametrize("value", [0.2, 0.8])
def test_the_transform_makes_noise_equally_strong_and_its_inverse_keeps_means(photons, read, value):
    rng = np.random.default_rng(0)
    noisy = rng.poisson(value * photons, 200_000) / photons + read * rng.standard_normal(200_000)
    transform = ways.Anscombe(1 / photons, read)
    stable = transform.forward(noisy)
    assert stable.std() == pytest.approx(transform.sigma, rel=0.06)
    assert transform.back(np.array([stable.mean()]))[0] == pytest.approx(value, rel=0.01)


def test_bm3d_after_a_calibration_is_near_bm3d_that_knows_the_noise():
    pytest.importorskip("bm3d")
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.1, 0.9, 96, dtype=np.float32)
    clean = np.broadcast_to(ramp[:, None, None], (96, 96, 1))
    noisy = rng.poisson(clean * 20) / 20 + 0.02 * rng.standard_normal(clean.shape)
    picture = ways.Picture(noisy.astype(np.float32), 1 / 20, 0.02, None)
    psnr = [quality.psnr_float(clean, picture.restored(w)) for w in ("bm3d", "bm3d calibrated")]
    assert psnr[1] > psnr[0] - 2, psnr
    assert psnr[1] > quality.psnr_float(clean, noisy) + 8, psnr


@pytest.mark.slow
@pytest.mark.parametrize(("way", "setting"), [("n2v", "data_path"), ("ssdn", "train_set")])
def test_what_is_trained_is_trained_on_the_noisy_picture(way, setting, tmp_path, monkeypatch):
    settings = {"scale": 2e-3, "precision": "float32", "train_set": "bsd300", "data_dir": None}
    monkeypatch.setattr(trainings, "FLAGS", types.SimpleNamespace(**settings))
    noisy = np.random.default_rng(0).random((70, 64, 1)).astype(np.float32)
    picture = ways.Picture(noisy, 0.1, 0.0, tmp_path)
    assert picture.restored(f"{way} trained").shape == noisy.shape
    config = json.loads((tmp_path / f"{way}-trained" / "config.json").read_text())["config"]
    given = tmp_path / f"{way}_tf.tif"
    assert config[setting] == str(given)
    stable = image_files.read_one(given)[..., :1]  # SSDN's picture lies behind the transform
    assert np.array_equal(stable, noisy) == (way == "n2v")


@pytest.mark.slow
def test_the_table_has_every_noise_and_way_and_goes_on(tmp_path, run_command):
    rng = np.random.default_rng(0)
    for name in "ab":
        picture = rng.integers(0, 255, (70, 64, 1), np.uint8)
        image_files.write(tmp_path / "set" / f"{name}.png", picture)
    flags = ["calibration", f"--dataset={tmp_path}/set", f"--output={tmp_path}/out"]
    done = run_command("scripts.reproduce", *flags, "--methods=as it is,oracle", "--max_images=1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("psnr=") == 9 * 3
    more = ["--methods=oracle,estimated gain", "--noises=poissongauss30+5"]
    done = run_command("scripts.reproduce", *flags, *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("psnr=") == 1 + 3  # of the first picture one is new
    with open(tmp_path / "out" / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["noise"] for row in rows}) == 9 and len(rows) == 9 * 3 + 4
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert len(lines) == 2 + 9
    (both,) = [line for line in lines if "| poissongauss30+5 |" in line]
    assert "set (2)" in both and both.count(" (1)") == 1  # one picture as it is
    assert image_files.read_one(tmp_path / "out" / "sheet.png").std() > 5
    cells = ["calibration", "--dataset=cells", f"--output={tmp_path}/cells", "--max_images=1"]
    done = run_command("scripts.reproduce", *cells, *more, "--methods=oracle")
    assert done.returncode == 0 and done.stdout.count("psnr=") == 2, done.stderr
    done = run_command("scripts.reproduce", *flags, "--noises=gauss25")
    assert done.returncode == 1 and "noises='gauss25': expected such as" in done.stderr
