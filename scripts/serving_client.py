"""Moved to scripts.tools.serving_client: use `noise2x client`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.tools.serving_client", "noise2x client")
