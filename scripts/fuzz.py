"""Moved to scripts.check.fuzz: use `python -m scripts.check.fuzz`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.fuzz", "python -m scripts.check.fuzz")
