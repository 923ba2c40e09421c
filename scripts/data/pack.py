"""Writes a training file: `noise2x pack hdf5`, `noise2x pack tfrecords` or `noise2x pack mri`.

hdf5: the format of Laine et al. 2019, from image files.
tfrecords: the format of Lehtinen et al. 2018, from image files.
mri: slices for n2n_tf.mri, from pictures or NIfTI volumes.

`noise2x pack hdf5 --help` lists the flags of hdf5, and so on.
"""

import importlib
import sys

KINDS = {"hdf5": "make_hdf5", "tfrecords": "make_tfrecords", "mri": "make_mri_dataset"}


def main():
    """Runs `noise2x pack`."""
    kind, *rest = sys.argv[1:] or [""]
    if kind in ("-h", "--help", "-help"):
        print(__doc__.strip())
        return
    if kind not in KINDS:
        print(
            f"error: pack: expected {', '.join(KINDS)}; got {kind or 'nothing'}.", file=sys.stderr
        )
        sys.exit(1)
    sys.argv = [f"noise2x pack {kind}", *rest]
    importlib.import_module(f"scripts.data.{KINDS[kind]}").main()


if __name__ == "__main__":
    main()
