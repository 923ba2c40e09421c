"""Moved to scripts.data.make_tfrecords: use `noise2x pack tfrecords`.

Version 0.2 removes this name.
"""

from scripts import moved

if __name__ == "__main__":
    moved.run("scripts.data.make_tfrecords", "noise2x pack tfrecords")
