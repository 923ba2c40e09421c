"""Programs that measure: they run, and print what they promise."""

import numpy as np
import pytest

from common.files import image_files
from scripts.check import fuzz

RNG = np.random.default_rng(0)


def test_compare_tiles_finds_no_difference_with_the_whole_halo(tiny_run, tmp_path, run_command):
    image_files.write(tmp_path / "a.png", RNG.integers(0, 255, (96, 64, 3), np.uint8))
    flags = [f"--run_dir={tiny_run}", f"--input={tmp_path}/a.png", "--halos=16", "--repeats=1"]
    done = run_command("scripts.check.compare_tiles", *flags, "--repeat_image=2", "--tile_size=64")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("halo")]
    assert len(lines) == 2
    assert "A pixel sees 315 pixels far" in done.stdout
    whole = float(lines[-1].split("largest difference ")[1].split(",")[0])
    assert whole < 1e-5  # as far as a pixel sees: the result is that of the whole image


@pytest.mark.parametrize("method", ["n2v", "n2n_tf"])
def test_benchmark_times_a_step_and_its_data(method, run_command):
    flags = ["--steps=2", "--batch_size=1", "--crop_size=32"]
    done = run_command("scripts.check.benchmark", method, *flags)
    assert done.returncode == 0, done.stderr
    for part in ("step", "batches", *(["masking"] if method == "n2v" else [])):
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(part)]
        assert float(line.split()[1]) > 0
    wrong = run_command("scripts.check.benchmark", "n3v")
    assert wrong.returncode == 1 and "method='n3v': expected ssdn, n2n" in wrong.stderr


@pytest.mark.slow
def test_fuzz_restores_or_names_every_damaged_file(tmp_path, run_command):
    done = run_command("scripts.check.fuzz", "--count=60", f"--output={tmp_path}/fuzz")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "Nothing went wrong." in done.stdout
    assert "images: 48 damaged" in done.stdout and "weights: 12 damaged" in done.stdout


def test_damage_is_repeatable_and_changes_the_file():
    content = bytes(range(256)) * 4
    damaged = [fuzz.damage(content, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert damaged[0] == damaged[1] != content
    assert damaged[2] != damaged[0]
