"""Imports Keras without the start-up messages that TensorFlow writes past Python's logging."""

import os
import sys


def import_keras() -> None:
    """Imports Keras and TensorFlow; errors and warnings of later calls still show.

    To be called before anything else imports TensorFlow.
    """
    if "keras" in sys.modules and "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow starts
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)  # the messages come from C++, straight to the descriptor
        import keras  # noqa: F401
        import tensorflow  # noqa: F401  # for the data, also where Keras runs on JAX
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
