"""scripts.reproduce.ways: the yardsticks of a calibration are what they claim to be."""

import csv

import numpy as np
import pytest

from common.evaluation import quality
from common.files import image_files
from scripts.reproduce import ways


@pytest.mark.parametrize(("photons", "read"), [(10, 2 / 255), (100, 15 / 255), (30, 0.0)])
@pytest.mark.parametrize("value", [0.2, 0.8])
def test_the_transform_makes_noise_equally_strong_and_its_inverse_keeps_means(photons, read, value):
    rng = np.random.default_rng(0)
    noisy = rng.poisson(value * photons, 200_000) / photons + read * rng.standard_normal(200_000)
    transform = ways.Anscombe(1 / photons, read)
    stable = transform.forward(noisy)
    assert stable.std() == pytest.approx(transform.sigma, rel=0.06)
    assert transform.back(np.array([stable.mean()]))[0] == pytest.approx(value, rel=0.01)


def test_calibrated_bm3d_leaves_a_picture_less_noisy_than_bm3d_knows_of():
    pytest.importorskip("bm3d")
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.1, 0.9, 96, dtype=np.float32)
    clean = np.broadcast_to(ramp[:, None, None], (96, 96, 1))
    noisy = (rng.poisson(clean * 20) / 20).astype(np.float32)
    picture = ways.Picture(noisy, 1 / 20, 0.0, None)
    psnr = {way: quality.psnr_float(clean, picture.restored(way)) for way in ("bm3d", "oracle")}
    calibrated = quality.psnr_float(clean, picture.restored("bm3d calibrated"))
    assert calibrated > quality.psnr_float(clean, noisy) + 8, (calibrated, psnr)
    assert calibrated > psnr["bm3d"] - 3


@pytest.mark.slow
def test_the_table_has_every_noise_and_way(tmp_path, run_command):
    rng = np.random.default_rng(0)
    image_files.write(tmp_path / "set" / "a.png", rng.integers(0, 255, (70, 64, 1), np.uint8))
    flags = ["calibration", f"--dataset={tmp_path}/set", f"--output={tmp_path}/out"]
    flags += ["--methods=as it is,oracle,estimated gain"]
    done = run_command("scripts.reproduce", *flags)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out" / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["noise"] for row in rows}) == len(rows) == 9
    assert all(float(row["oracle"]) > 5 and float(row["oracle, s"]) >= 0 for row in rows)
    assert (tmp_path / "out" / "sheet.png").is_file()
