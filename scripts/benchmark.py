"""Moved to scripts.check.benchmark: use `noise2x benchmark`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.benchmark", "noise2x benchmark")
