"""Moved to scripts.check.check_export: use `noise2x check-export`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.check.check_export", "noise2x check-export")
