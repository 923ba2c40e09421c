"""The methods by name, and the models of run folders whatever their method."""

import importlib
import json
import pathlib

from common import configs, runs

NAMES = ("n2n_tf", "n2n_tf.mri", "n2v_tf", "rdunet_tf", "ssdn_tf")


def method(name):
    """The commands.Method of a package. Raises ValueError for another name."""
    configs.expect("method", name, NAMES)
    return importlib.import_module(f"{name}.denoiser").METHOD


def method_of(run_dir):
    """The commands.Method that a run folder was trained with.

    Raises:
        runs.RunError: no run folder, or of a method that there is not.
    """
    path = pathlib.Path(run_dir) / "config.json"
    if not path.is_file():
        raise runs.RunError(f"{run_dir}: no config.json there, so no run folder.")
    try:
        return method(json.loads(path.read_text())["method"])
    except (ValueError, KeyError, TypeError) as error:
        raise runs.RunError(f"{path}: not a run's configuration ({error}).") from error
