"""Moved to scripts.check.benchmark: use `noise2x benchmark`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.benchmark", "noise2x benchmark")
