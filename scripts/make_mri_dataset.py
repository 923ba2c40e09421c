"""Moved to scripts.data.make_mri_dataset: use `noise2x pack mri`

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.make_mri_dataset", "noise2x pack mri")
