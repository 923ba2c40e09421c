"""Moved to scripts.data.make_mri_dataset: use `noise2x pack mri`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.make_mri_dataset", "noise2x pack mri")
