"""Moved to scripts.data.make_hdf5: use `noise2x pack hdf5`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.make_hdf5", "noise2x pack hdf5")
