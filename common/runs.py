"""The run folder: what a training was, its weights and its state. Nothing in it is ever executed.

config.json              method, version, configuration
weights.weights.h5       weights, for use
checkpoint/state.npz     weights, optimiser and step, for going on exactly there
log.csv, curves.png, samples/, train/   figures and TensorBoard events
"""

import dataclasses
import json
import pathlib
import warnings
import zipfile

import numpy as np

from common import VERSION, files


class RunError(ValueError):
    """A run folder that can't be used; the message names it."""


def save_config(run_dir, method, config, data=""):
    """Writes config.json; `data` is the fingerprint of the training images."""
    content = {"method": method, "version": VERSION, "config": dataclasses.asdict(config)}
    content["data"] = data
    with files.replacing(pathlib.Path(run_dir) / "config.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def method_name(run_dir):
    """Name of the method that a run folder is of. Raises RunError if it is none."""
    return _read(run_dir)[1]


def _read(run_dir):
    """(path of config.json, name of the method, settings, fingerprint of the training images)."""
    path = pathlib.Path(run_dir) / "config.json"
    if not path.is_file():
        raise RunError(f"{run_dir}: no config.json there, so no run folder.")
    try:
        content = json.loads(path.read_text())
        return path, content["method"], dict(content["config"]), content.get("data", "")
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: not a run's configuration ({error}).") from error


def load_config(run_dir, method, config_class):
    """Reads config.json back: (configuration, fingerprint of the training images).

    Raises:
        RunError: no run folder, one of another method, or a configuration this version can't read.
    """
    path, found, values, data = _read(run_dir)
    if found != method:
        raise RunError(f"{run_dir}: a run of {found}, not of {method}; use {found}'s commands.")
    known = {field.name for field in dataclasses.fields(config_class)}
    if unknown := sorted(set(values) - known):
        raise RunError(f"{path}: unknown settings {', '.join(unknown)}.")
    try:
        return config_class(**values).completed(), data
    except (TypeError, ValueError) as error:
        raise RunError(f"{path}: {error}") from error


def save_weights(run_dir, denoiser):
    with files.replacing(pathlib.Path(run_dir) / "weights.weights.h5") as temporary:
        denoiser.save_weights(temporary)


def load_weights(run_dir, denoiser):
    """Raises RunError if there are none yet, or damaged or foreign ones."""
    path = pathlib.Path(run_dir) / "weights.weights.h5"
    if not path.is_file():
        raise RunError(
            f"{run_dir}: no weights yet; the training stopped before its first checkpoint."
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns of what it could not fill.
            warnings.filterwarnings("error", category=UserWarning)
            denoiser.load_weights(path)
    except Exception as error:  # a damaged file makes h5py and Keras raise nearly anything
        message = str(error).strip().splitlines()[0][:200]
        raise RunError(f"{path}: not this model's weights, or damaged ({message}).") from error


def state_path(run_dir):
    return pathlib.Path(run_dir) / "checkpoint" / "state.npz"


def save_state(run_dir, denoiser, step):
    """Writes the weights for use, then everything that training needs to go on after `step`.

    In this order, for the state is what a resumed run believes in.
    """
    save_weights(run_dir, denoiser)
    arrays = {"step": np.int64(step)}
    for kind, variables in _variables(denoiser).items():
        for i, variable in enumerate(variables):
            arrays[f"{kind}/{i:04d}"] = np.asarray(variable)
    with files.replacing(state_path(run_dir)) as temporary:
        np.savez(temporary, **arrays)


def load_state(run_dir, denoiser):
    """Restores what `save_state` wrote; returns the step.

    Raises:
        RunError: damaged, or of another network.
    """
    path = state_path(run_dir)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        step = int(arrays.pop("step"))
        wanted = {
            f"{kind}/{i:04d}": variable
            for kind, variables in _variables(denoiser).items()
            for i, variable in enumerate(variables)
        }
        if set(wanted) != set(arrays):
            raise ValueError(f"{len(arrays)} arrays, expected {len(wanted)}")
        for name, variable in wanted.items():
            if arrays[name].shape != tuple(variable.shape):
                raise ValueError(f"{name} is {arrays[name].shape}, expected {variable.shape}")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: not this model's checkpoint, or damaged ({error}).") from error
    for name, variable in wanted.items():
        variable.assign(arrays[name])
    return step


def _variables(denoiser):
    """Weights, and the optimiser's own: its step, its moments."""
    return {"model": denoiser.weights, "optimizer": denoiser.optimizer.variables}
