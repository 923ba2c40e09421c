"""common.commands.running: a signal always ends a command, and what fails is said in one line."""

import subprocess
import sys

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


def test_a_signal_whose_exception_gets_lost_comes_again():
    command = [sys.executable, "-c", LOST]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "Terminated.\n")
