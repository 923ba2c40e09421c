"""common.commands.running: a signal always ends a command, and what fails is said in one line."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

# Python prints what a destructor raises, and goes on; so the first exception gets lost.
LOST = """
import os, signal, time
from common.commands import running

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(100))

def main():
    dying = Dying()
    del dying
    for _ in range(100):
        time.sleep(0.1)
    print("went on")

running.run(main, lambda: None, "A test.", needs_keras=False)
"""


# As TensorFlow does with an exception that comes while it traces a function.
MADE_ANOTHER = """
import os, signal
from common.commands import running

def main():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(100))
    except BaseException:
        raise SystemError("bad argument to internal function") from None

running.run(main, lambda: None, "A test.", needs_keras=False)
"""


@pytest.mark.parametrize("program", [LOST, MADE_ANOTHER])
def test_a_signal_ends_a_command_whatever_becomes_of_its_exception(program):
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "Terminated.\n")
