"""Imports Keras without the page of start-up messages that TensorFlow writes past Python's logging.

Import this before anything that imports TensorFlow. Errors and warnings of later calls still show.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # heeded once TensorFlow has started


def _import_keras():
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)  # the messages come from C++, straight to the descriptor
        import keras  # noqa: F401

        from common import noise  # noqa: F401  # TensorFlow, also where Keras runs on JAX
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


if "keras" not in sys.modules:
    _import_keras()
