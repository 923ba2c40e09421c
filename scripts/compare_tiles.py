"""Moved to scripts.check.compare_tiles: use `noise2x tiles`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.compare_tiles", "noise2x tiles")
