"""Moved to scripts.check.crosscheck: use `noise2x crosscheck`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.crosscheck", "noise2x crosscheck")
