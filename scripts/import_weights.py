"""Moved to scripts.tools.import_weights: use `noise2x import`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.tools.import_weights", "noise2x import")
