"""Moved to scripts.check.compare_tiles: use `noise2x tiles`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.compare_tiles", "noise2x tiles")
