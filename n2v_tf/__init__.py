"""Noise2Void (Krull et al. 2019), and the classes of juglab's n2v 0.3, for its notebooks:

from n2v_tf import N2V, N2VConfig, N2V_DataGenerator
"""

import importlib

import noise2x as _  # noqa: F401  # makes `common` importable, see noise2x/_paths.py

__all__ = ["N2V", "N2VConfig", "N2V_DataGenerator"]


def __getattr__(name):
    # Imported only when they are used: the commands of this package don't need them.
    if name in __all__:
        return getattr(importlib.import_module("n2v_tf.juglab"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
