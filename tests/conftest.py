"""Fixtures: commands as the user runs them, and a tiny trained run that many tests read."""

import os
import pathlib
import subprocess
import sys

import pytest

from common import quiet  # noqa: F401  # before TensorFlow is imported

ROOT = pathlib.Path(__file__).parent.parent

# The smallest training that still goes through everything.
TINY = ("--num_images=4", "--batch_size=2", "--crop_size=32", "--precision=float32")


def command(module, *arguments, **options):
    """Runs `python -m module --flags` from the project's root; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        **{"env": os.environ | options.pop("env", {}), **options},
    )


@pytest.fixture(scope="session")
def run_command():
    return command


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """Run folder of a colour model of estimated noise, trained for two steps."""
    run_dir = tmp_path_factory.mktemp("tiny") / "run"
    done = command("ssdn_tf.train", f"--run_dir={run_dir}", "--noise_params=global", *TINY)
    assert done.returncode == 0, done.stderr
    return run_dir
