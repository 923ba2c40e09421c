"""Fixtures: commands as the user runs them, and a tiny trained run that many tests read."""

import os
import subprocess
import sys

import numpy as np
import pytest

from common import quiet
from scripts.check import forked

quiet.import_keras()

ROOT = forked.ROOT

# The smallest training that still goes through everything.
TINY = ("--num_images=4", "--batch_size=2", "--crop_size=32", "--precision=float32")


_COMMANDS = forked.Commands()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Lets every test draw the same numbers, whichever ran before it in this process."""
    module = getattr(item, "module", None)
    if isinstance(getattr(module, "RNG", None), np.random.Generator):
        module.RNG = np.random.default_rng(0)


def pytest_sessionfinish():
    _COMMANDS.close()


def command(module, *arguments, env=None, cwd=ROOT):
    """Runs `python -m module --flags`; returns the finished process.

    env: variables beside those of this process; with them, or {}, Python itself is started, for
        what must be set before TensorFlow is imported.
    cwd: the folder to run in [the project's root].
    """
    arguments = list(map(str, arguments))
    if env is None:
        return _COMMANDS.run(module, arguments, cwd=cwd)
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": paths} | env,
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
