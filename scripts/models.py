"""The methods by name, and the models of run folders whatever their method."""

import importlib

from common import configs, runs

NAMES = ("deblur", "n2n_tf", "n2n_tf.mri", "n2v_tf", "rdunet_tf", "ssdn_tf", "superres")
ORIGINALS = ("n2n_tf", "n2n_tf.mri", "n2v_tf", "rdunet_tf", "ssdn_tf")  # with weights to import


def method(name):
    """The commands.Method of a package. Raises ValueError for another name."""
    configs.expect("method", name, NAMES)
    return importlib.import_module(f"{name}.denoiser").METHOD


def method_of(run_dir):
    """The commands.Method that a run folder was trained with.

    Raises:
        runs.RunError: no run folder, or of a method that there is not.
    """
    name = runs.method_name(run_dir)
    if name not in NAMES:
        raise runs.RunError(f"{run_dir}: a run of {name!r}, a method that there is not.")
    return method(name)
