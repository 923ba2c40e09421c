"""Moved to scripts.check.crosscheck: use `noise2x crosscheck`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.crosscheck", "noise2x crosscheck")
