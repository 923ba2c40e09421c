"""Noise2Void (Krull et al. 2019), and a front for notebooks written for juglab's n2v 0.3.

from n2v_tf import N2V, N2VConfig, N2V_DataGenerator
"""

import importlib

__all__ = ["N2V", "N2VConfig", "N2V_DataGenerator"]


def __getattr__(name):
    # Not before someone asks: the commands of this package have no use for them.
    if name in __all__:
        module = "generator" if name == "N2V_DataGenerator" else "juglab"
        return getattr(importlib.import_module(f"n2v_tf.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
