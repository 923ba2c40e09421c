"""Fixtures: commands as the user runs them, and a tiny trained run that many tests read."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

from common import quiet

quiet.import_keras()

ROOT = pathlib.Path(__file__).parent.parent

# The smallest training that still goes through everything.
TINY = ("--num_images=4", "--batch_size=2", "--crop_size=32", "--precision=float32")


class _Zygote:
    """The process of tests/zygote.py, one for each process of pytest."""

    def __init__(self):
        self._process = None

    def run(self, module, arguments, cwd, timeout=300):
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.zygote"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        with tempfile.TemporaryDirectory() as folder:
            job = {"module": module, "arguments": arguments, "folder": folder, "timeout": timeout}
            print(json.dumps(job | {"cwd": str(cwd)}), file=self._process.stdin, flush=True)
            status = json.loads(self._process.stdout.readline())
            if status is None:
                raise subprocess.TimeoutExpired([module, *arguments], timeout)
            printed = (pathlib.Path(folder, name).read_text() for name in ("stdout", "stderr"))
            return subprocess.CompletedProcess([module, *arguments], status, *printed)

    def stop(self):
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()


_ZYGOTE = _Zygote()


def pytest_sessionfinish():
    _ZYGOTE.stop()


def command(module, *arguments, env=None, cwd=ROOT):
    """Runs `python -m module --flags`; returns the finished process.

    env: variables beside those of this process; with them, or {}, Python itself is started, for
        what must be set before TensorFlow is imported.
    cwd: the folder to run in [the project's root].
    """
    arguments = list(map(str, arguments))
    if env is None:
        return _ZYGOTE.run(module, arguments, cwd)
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
