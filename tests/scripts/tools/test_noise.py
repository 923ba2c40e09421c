"""noise2x noise: a line for each page, a table, bad files named."""

import csv

import numpy as np

from common.files import image_files

RNG = np.random.default_rng(0)


def test_it_says_how_noisy_files_are(tmp_path, run_command):
    level = np.linspace(60, 200, 96)[None, :, None] * np.ones((96, 1, 3))
    for sigma in (0, 20):
        noisy = np.clip(level + sigma * RNG.standard_normal(level.shape), 0, 255).astype(np.uint8)
        image_files.write(tmp_path / "in" / f"{sigma}.png", noisy)
    stack = (1000 + 50 * RNG.standard_normal((2, 64, 64, 1))).astype(np.uint16)
    image_files.write(tmp_path / "in" / "stack.tif", stack)
    alpha = np.concatenate([noisy[..., :1], np.full((96, 96, 1), 255, np.uint8)], axis=-1)
    image_files.write(tmp_path / "in" / "alpha.png", alpha)
    image_files.write(tmp_path / "in" / "tiny.png", np.zeros((8, 8, 3), np.uint8))
    done = run_command(
        "noise2x",
        "noise",
        f"{tmp_path}/in",
        f"--csv={tmp_path}/noise.csv",
        f"--plot={tmp_path}/noise.png",
    )
    assert done.returncode == 1 and "1 files could not be read" in done.stderr
    lines = {line.split(": ")[0].split("/")[-1]: line for line in done.stdout.splitlines()}
    assert "almost none. Suits: leaving it alone." in lines["0.png"]
    assert "neighbours independent" in lines["20.png"]
    assert "Suits: noise2x denoise, as it is." in lines["20.png"]
    assert {"stack.tif page 0", "stack.tif page 1"} <= set(lines)
    assert "8x8 pixels are too few to see the noise. Skipped." in lines["tiny.png"]
    with open(tmp_path / "noise.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert (tmp_path / "noise.png").is_file()
    assert abs(float(rows[2]["sigma"]) / 20 - 1) < 0.15
    assert abs(float(rows[1]["sigma"]) / 20 - 1) < 0.1 and abs(float(rows[3]["sigma"]) - 50) < 5


def test_without_files_it_says_what_it_wants(run_command):
    done = run_command("noise2x", "noise")
    assert done.returncode == 1 and "Name the files to look at" in done.stderr
