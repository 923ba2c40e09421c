"""Moved to scripts.tools.denoise_volume: use `noise2x volume`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.tools.denoise_volume", "noise2x volume")
