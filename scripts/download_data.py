"""Moved to scripts.data.download: use `noise2x download`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.download", "noise2x download")
