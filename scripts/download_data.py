"""Moved to scripts.data.download: use `noise2x download`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.download", "noise2x download")
