"""Moved to scripts.tools.serving_client: use `noise2x client`.

This name goes with version 0.2.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.tools.serving_client", "noise2x client")
