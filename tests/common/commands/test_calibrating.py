"""common.commands.calibrating: the files of calibrations, what is doubted, what is refused."""

import numpy as np
import pytest
from scipy import ndimage

from common.files import image_files


def noisy_scene(seed, side=96):
    """Counts of photons with read-out noise, (H, W, 1)."""
    rng = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(rng.standard_normal((side, side, 1)), (7, 7, 0))
    clean = 400 + 3000 * (scene - scene.min()) / np.ptp(scene)
    return 40 * rng.poisson(clean / 40) + 60 * rng.standard_normal(clean.shape)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counts")
    for name, seed in (("a", 0), ("b", 1)):
        noisy = np.clip(noisy_scene(seed), 0, 65535).astype(np.uint16)
        image_files.write(folder / "scans" / f"{name}.tif", noisy)
    return folder


@pytest.mark.slow
def test_the_command_keeps_a_calibration_for_all_files_or_for_each(folder, run_command):
    done = run_command("n2n_tf.denoise", "scans", "--calibrate", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Calibrating photo-grey on 2 images of 2 files" in done.stdout
    assert "Noise measured: deviation" in done.stdout
    out = folder / "scans-denoised"
    assert {path.name for path in out.iterdir()} == {
        *("a.tif", "b.tif", "calibration.json", "calibration.png")
    }
    flags = ["--calibration=scans-denoised", "--output=again"]  # the folder, or the file
    done = run_command("n2n_tf.denoise", "scans", *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "again" / "a.tif").read_bytes() == (out / "a.tif").read_bytes()
    done = run_command("n2n_tf.denoise", "scans/a.tif", "--calibrate_each", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "scans" / "a-calibration.json").is_file()
    assert (folder / "scans" / "a-denoised.tif").is_file()


def test_a_bad_file_and_a_small_one_stop_no_other_and_no_input_is_replaced(folder, run_command):
    mixed = folder / "mixed"
    image_files.write(mixed / "a.tif", image_files.read_one(folder / "scans" / "a.tif"))
    image_files.write(mixed / "small.tif", np.ones((9, 9, 1), np.uint16))
    done = run_command("n2n_tf.denoise", "mixed", "--calibrate_each", cwd=folder)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "small.tif: calibrate: 4096 pixels" in done.stdout
    assert (folder / "mixed-denoised" / "a.tif").is_file()
    mine = (1000 * np.random.default_rng(0).random((80, 80, 1))).astype(np.uint8)
    image_files.write(mixed / "a-calibration.png", mine)
    done = run_command(
        "n2n_tf.denoise", "mixed/a.tif", "mixed/a-calibration.png", "--calibrate", cwd=folder
    )
    assert done.returncode == 1 and "an input, which would be lost" in done.stderr
    np.testing.assert_array_equal(image_files.read_one(mixed / "a-calibration.png"), mine)


def test_a_file_of_other_values_is_doubted_and_left_out_if_asked(folder, run_command):
    scan = folder / "scans" / "a.tif"
    done = run_command("n2n_tf.denoise", scan, "--calibrate", "--output=of-a", cwd=folder)
    assert done.returncode == 0, done.stderr
    bright = 5 * image_files.read_one(scan).astype(np.uint16)
    image_files.write(folder / "bright.tif", bright)
    flags = ["--calibration=of-a/a-calibration.json", "--strict", "--output=of-bright"]
    done = run_command("n2n_tf.denoise", "bright.tif", *flags, cwd=folder)
    assert done.returncode == 1 and "beyond those that were calibrated" in done.stdout
    assert not (folder / "of-bright" / "bright.tif").exists()


def test_a_file_with_nan_stops_no_other(folder, run_command):
    image_files.write(folder / "floats" / "a.tif", noisy_scene(0).astype(np.float32))
    spoiled = noisy_scene(1, side=820).astype(np.float32)
    spoiled[400, 400] = np.nan
    image_files.write(folder / "floats" / "b.tif", spoiled)
    # So little memory that files are read in parts, and their values only when they are used.
    done = run_command("n2n_tf.denoise", "floats", "--calibrate", "--memory_gb=0.01", cwd=folder)
    assert done.returncode == 1 and "NaN" in done.stdout
    assert (folder / "floats-denoised" / "a.tif").is_file()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--calibrate", "--calibrate_each"], "one of --calibrate, --calibrate_each"),
        (["--calibration=none.json"], "none.json"),
        (["--calibrate", "--dtype=uint8"], "with a calibration values stay those of the file"),
        (["--calibrate", "--noise_level=5"], "a calibration finds the noise itself"),
    ],
)
def test_flags_that_cannot_be_are_refused(folder, run_command, flags, message):
    done = run_command("n2n_tf.denoise", "scans", *flags, cwd=folder)
    assert done.returncode == 1 and message in done.stderr
    assert "Traceback" not in done.stderr
