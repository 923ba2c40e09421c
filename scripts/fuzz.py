"""Moved to scripts.check.fuzz.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.fuzz", "python -m scripts.check.fuzz")
