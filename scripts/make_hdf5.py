"""Moved to scripts.data.make_hdf5: use `noise2x pack hdf5`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.make_hdf5", "noise2x pack hdf5")
