"""The methods of this project by name, and the method of a run folder."""

from __future__ import annotations

import importlib
import pathlib

from common import configuration
from common.method import Method, short_name

# The packages that hold a method, each in `<package>/method.py`.
NAMES = (
    "ssdn_tf",
    "n2n_tf",
    "n2v_tf",
    "dbsn_tf",
    "dbsn_tf.distill",
    "n2n_tf.mri",
    "rdunet_tf",
    "deblur",
    "superres",
)
READY = "n2n_tf"  # whose shipped models restore files before anybody has trained
READY_WITH_STD = "ssdn_tf"  # likewise, if the predicted deviation is asked for


def package(name: str) -> str | None:
    """The package of a method's name, "ssdn" or "ssdn_tf"; None if there is no such method."""
    return {short: full for full in NAMES for short in (full, short_name(full))}.get(name)


def find(name: str) -> Method:
    """The method of a name: "ssdn", or that of its package, "ssdn_tf".

    Raises:
        ValueError: there is no such method.
    """
    if package(name) is None:
        configuration.expect("method", name, [short_name(full) for full in NAMES])
    return importlib.import_module(f"{package(name)}.method").METHOD


def of_run(run_dir: str | pathlib.Path) -> Method:
    """The method that a run folder was trained with.

    Raises:
        runs.RunError: no run folder, or one of a method that is not known here.
    """
    from common.training import runs

    name = runs.method_name(run_dir)
    if name not in NAMES:
        raise runs.RunError(f"{run_dir}: a run of {name!r}, which is no method known here.")
    return find(name)
