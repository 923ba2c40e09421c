"""Runs the whole test suite in .venv, which it makes if it is missing.

python3 -m scripts.run_tests [ARGUMENTS OF PYTEST]; -n 0 runs the tests in one process.
"""

import sys

from scripts import installing

if __name__ == "__main__":
    installing.install("test")
    installing.run("python", "-m", "pytest", "-n", "2", "--dist", "worksteal", *sys.argv[1:])
