"""Imports Keras without the start-up messages that TensorFlow writes past Python's logging."""

import contextlib
import os
import sys
from collections.abc import Iterator

# Keras imports them if they are there, and nothing here needs them from Keras. They cost half a
# second of the two and a half that its import takes.
UNUSED = ("matplotlib", "pandas")


def import_keras(*, for_command: bool = False) -> None:
    """Imports Keras and TensorFlow; errors and warnings of later calls still show.

    To be called before anything else imports TensorFlow.

    Args:
        for_command: whether nobody else uses this Keras, so that it may do without UNUSED.

    Raises:
        ValueError: KERAS_BACKEND names a backend that is not installed.
    """
    if "keras" in sys.modules and "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow starts
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)  # the messages come from C++, straight to the descriptor
        with _hidden(UNUSED if for_command else ()):
            import keras  # noqa: F401
        import tensorflow  # noqa: F401  # for the data, also where Keras runs on JAX
    except ModuleNotFoundError as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if error.name != backend:
            raise
        known = "pip install 'noise2x[jax]' brings it; " if backend == "jax" else ""
        raise ValueError(
            f"KERAS_BACKEND={backend}: {backend} is not installed; {known}with KERAS_BACKEND unset "
            "TensorFlow computes."
        ) from error
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


@contextlib.contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Makes the import of these packages fail, of those that are not imported yet."""
    names = tuple(name for name in names if name not in sys.modules)
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
