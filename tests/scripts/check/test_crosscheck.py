"""The cross-check passes on the stored fixtures, and would notice if something were off."""

import shutil

import numpy as np
import pytest

from scripts.check import golden_files
from scripts.check.checkers import comparing


@pytest.mark.slow
def test_every_fixture_is_within_tolerance(run_command):
    done = run_command("scripts.check.crosscheck", "--strict", env={})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "45 fixtures checked, 0 quantities failed" in done.stdout


def test_a_changed_fixture_fails_and_an_unknown_one_only_when_strict(tmp_path, run_command):
    shutil.copy(golden_files.FOLDER / "psnr.npz", tmp_path / "unheard_of.npz")
    shutil.copy(golden_files.FOLDER / "lr_schedules.npz", tmp_path)
    lenient = run_command("scripts.check.crosscheck", f"--golden={tmp_path}", env={})
    assert lenient.returncode == 0, lenient.stderr
    assert "1 without a checker: unheard_of" in lenient.stdout
    assert (
        run_command(
            "scripts.check.crosscheck", f"--golden={tmp_path}", "--strict", env={}
        ).returncode
        == 1
    )
    with np.load(tmp_path / "lr_schedules.npz") as stored:
        arrays = dict(stored)
    arrays["ssdn/images_2M_mb4/lrate"][7] += 1e-9
    np.savez(tmp_path / "lr_schedules.npz", **arrays)
    changed = run_command("scripts.check.crosscheck", f"--golden={tmp_path}", "--only=lr_*", env={})
    assert changed.returncode == 1
    assert changed.stdout.count("FAILED") == 1


def test_bad_folders_and_patterns_are_refused(tmp_path, run_command):
    for flag, message in (
        (f"--golden={tmp_path}/none", "no such folder"),
        ("--only=xyz*", "matches none of 45"),
    ):
        done = run_command("scripts.check.crosscheck", flag, env={})
        assert done.returncode == 1
        assert message in done.stderr


def test_close_notices_nan_shape_and_excess():
    assert comparing.close("x", [1.0, 2.0], [1.0, 2.0]).ok
    assert not comparing.close("x", [1.0, np.nan], [1.0, 2.0], atol=1e9).ok
    assert not comparing.close("x", [1.0], [1.0, 2.0], atol=1e9).ok
    assert not comparing.close("x", [1.0, 2.1], [1.0, 2.0], rtol=0.04).ok
    assert comparing.close("x", [1.0, 2.1], [1.0, 2.0], rtol=0.06).ok


def test_a_kink_passes_and_another_gradient_does_not():
    theirs = np.random.default_rng(0).standard_normal((32, 32))
    kink = theirs.copy()
    kink[3, 4] += 0.1  # one of a thousand values
    tolerance = {"norm": 0.01, "rtol": 1e-4, "atol": 2e-4}
    assert not comparing.close("a", kink, theirs, rtol=1e-4, atol=2e-4).ok
    assert comparing.close_but_for_kinks("a", kink, theirs, **tolerance).ok
    for wrong in (theirs * 1.02, np.roll(theirs, 1), kink * np.nan):
        assert not comparing.close_but_for_kinks("a", wrong, theirs, **tolerance).ok
