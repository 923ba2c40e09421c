"""common.training.locks: a run folder is one training's, until that ends, whichever way."""

import subprocess
import sys

import pytest

from common.training import locks, runs
from tests.conftest import ROOT

HOLD = """
import sys, time
from common.training import locks
with locks.held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_training_is_told_who_holds_the_folder_until_that_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            wanted = f"process {holder.pid} on .*, since .* is training"
            with pytest.raises(runs.RunError, match=wanted), locks.held(tmp_path / "run"):
                pass
        finally:
            holder.kill()  # kill -9
    with locks.held(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").is_file()
    assert not list((tmp_path / "run").iterdir())


def test_the_lock_goes_with_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), locks.held(tmp_path):
            raise KeyError
    assert not list(tmp_path.iterdir())
