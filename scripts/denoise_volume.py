"""Moved to scripts.tools.denoise_volume: use `noise2x volume`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.tools.denoise_volume", "noise2x volume")
