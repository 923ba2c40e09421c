"""The run folder: what a training was, its weights and its state. Nothing in it is ever executed.

config.json              method, version, configuration
weights.weights.h5       weights, for use
checkpoint/state.npz     weights, optimiser and step, for going on exactly there
log.csv, curves.png, samples/, train/   figures and TensorBoard events

Functions that read a run folder also take the name of a model that comes with the project, see
common.shipped: a folder of config.json and weights.npz.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from common import VERSION, configuration, shipped
from common.files import atomic
from common.files.errors import short
from common.shipped import halves

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

KEEPING = "keeping"  # how names of arrays in state.npz begin that tell which weights to keep
ROOT = "runs"  # where run folders without a name of their own are made

Path = str | pathlib.Path


class RunError(ValueError):
    """A run folder that can't be used; the message names it."""


def located(run_dir: Path) -> pathlib.Path:
    """The run folder of a path, or of the name of a shipped model where the path is no run."""
    is_run = (pathlib.Path(run_dir) / "config.json").is_file()
    is_name = not is_run and str(run_dir) in shipped.names()
    return shipped.folder(str(run_dir)) if is_name else pathlib.Path(run_dir)


def make_folder(label: str, root: Path = ROOT) -> pathlib.Path:
    """Makes the next numbered run folder: runs/00003-ssdn-gauss25-blindspot-sigma_known."""
    root = pathlib.Path(root)
    root.mkdir(parents=True, exist_ok=True)
    number = max((_number(path) for path in root.iterdir()), default=-1) + 1
    while True:
        # Two trainings that start at once must not take one number, whatever their labels.
        lock = root / f".{number:05d}.lock"
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            number += 1
            continue
        try:
            if not any(_number(path) == number for path in root.iterdir()):
                folder = root / f"{number:05d}-{label}"
                folder.mkdir()
                return folder
        finally:
            lock.unlink(missing_ok=True)
        number += 1


def _number(path: pathlib.Path) -> int:
    """The number of a run folder with a name that `make_folder` gives, or -1."""
    match = re.match(r"(\d{5,})-", path.name)
    return int(match[1]) if match else -1


def newest_first(root: Path = ROOT) -> Iterator[pathlib.Path]:
    """Yields the run folders in a folder, those whose config.json is newest first."""
    stamps = []
    for path in pathlib.Path(root).glob("*/config.json"):
        try:
            stamps.append((path.stat().st_mtime, path.parent))
        except OSError:  # it has just gone
            continue
    for _, folder in sorted(stamps, reverse=True):
        yield folder


def newest_finished(method: str | None = None, root: Path = ROOT) -> pathlib.Path | None:
    """The newest run folder of a method, or of any, whose training has reached its end; or None."""
    for folder in newest_first(root):
        try:
            if method in (None, method_name(folder)) and is_finished(folder):
                return folder
        except RunError:
            continue
    return None


def newest_to_resume(
    method: str, config: configuration.Config, root: Path = ROOT
) -> pathlib.Path | None:
    """The newest run folder of a method with these settings, an unfinished one first; or None."""
    finished = None
    for folder in newest_first(root):
        try:
            settings, _ = load_config(folder, method, type(config))
        except RunError:
            continue
        if configuration.same_settings(settings, config):
            if not is_finished(folder):
                return folder
            finished = finished or folder
    return finished


def is_finished(run_dir: Path) -> bool:
    """Whether the training of a run folder has reached its end; imported models count as such."""
    path = state_path(run_dir)
    if not path.is_file():
        return _weights_path(run_dir).is_file()
    config_path, _, values, _ = _read(run_dir)
    try:
        steps = -(-int(values["num_images"]) // int(values["batch_size"]))
        # Runs of before have no "steps": all of their trainings went to the end.
        steps = int(json.loads(config_path.read_text()).get("steps", steps))
        return (trained_steps(run_dir) or 0) >= steps
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError):
        return False


def trained_steps(run_dir: Path) -> int | None:
    """The number of steps behind a run folder's weights; None for imported models.

    Raises:
        RunError: a damaged checkpoint.
    """
    path = state_path(run_dir)
    return int(_arrays(path, ["step"])["step"]) if path.is_file() else None


def _arrays(path, names=None):
    """The arrays of an .npz file, {name: array}, or those of some names.

    Raises:
        RunError: a damaged file.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files if names is None or name in names}
    except Exception as error:  # zipfile and NumPy raise nearly any error for damaged bytes
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise RunError(f"{path}: damaged ({short(error)}).") from error


def save_config(run_dir: Path, method: str, config: configuration.Config, data: str = "") -> None:
    """Writes config.json; `data` is the fingerprint of the training images."""
    content: dict[str, typing.Any] = {"method": method, "version": VERSION}
    content |= {"config": config.to_dict(), "data": data}
    if config.num_images is not None:
        content["steps"] = config.last_step
    with atomic.replacing(pathlib.Path(run_dir) / "config.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def method_name(run_dir: Path) -> str:
    """Name of the method that a run folder is of. Raises RunError if it is none."""
    return _read(run_dir)[1]


def _read(run_dir):
    """(path of config.json, name of the method, settings, fingerprint of the training images)."""
    path = located(run_dir) / "config.json"
    if not path.is_file():
        hint = shipped.hint(str(run_dir))
        raise RunError(f"{run_dir}: no config.json there, so no run folder.{hint}")
    try:
        content = json.loads(path.read_text())
        if not isinstance(content["method"], str):
            raise ValueError(f"method {content['method']!r}")
        return path, content["method"], dict(content["config"]), content.get("data", "")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: not a run's configuration ({error}).") from error


def load_config(
    run_dir: Path, method: str, config_class: type[configuration.AnyConfig]
) -> tuple[configuration.AnyConfig, str]:
    """Reads config.json back: (configuration, fingerprint of the training images).

    Raises:
        RunError: no run folder, one of another method, or a configuration this version can't read.
    """
    path, of_method, values, data = _read(run_dir)
    if of_method != method:
        raise RunError(
            f"{run_dir}: a run of {of_method}, not of {method}; use {of_method}'s commands."
        )
    known = {field.name for field in dataclasses.fields(config_class)}
    if unknown := sorted(set(values) - known):
        raise RunError(f"{path}: unknown settings {', '.join(unknown)}.")
    try:
        # Runs of before there was a choice have the paper's schedule, Adam, and crops of one size,
        # whole.
        before = {"schedule": "paper", "optimizer": "adam", "crop_growth": 1, "edges": False}
        return config_class(**before | values).completed(), data
    except (TypeError, ValueError) as error:
        raise RunError(f"{path}: {error}") from error


def save_weights(run_dir: Path, denoiser: Denoiser) -> None:
    """Writes weights.weights.h5, whole or not at all: those for use, see optimizers.averaged."""
    from common.training import optimizers

    path = pathlib.Path(run_dir) / "weights.weights.h5"
    size = 4 * denoiser.count_params() + 2**17  # and the layers' names
    with atomic.replacing(path, size=size) as temporary, optimizers.averaged(denoiser):
        try:
            denoiser.save_weights(temporary)
        except OSError as error:  # h5py says it with many words, and without the file's name
            if error.errno is None:
                raise
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def load_weights(run_dir: Path, denoiser: Denoiser) -> None:
    """Gives a denoiser the weights of a run folder.

    Raises:
        RunError: there are none yet, or damaged or foreign ones.
    """
    path = _weights_path(run_dir)
    if not path.is_file():
        raise RunError(
            f"{run_dir}: no weights yet; the training stopped before its first checkpoint."
        )
    if path.suffix == ".npz":
        return _load_halves(path, denoiser)
    try:
        with warnings.catch_warnings():
            # Keras only warns of what it could not fill.
            warnings.filterwarnings("error", category=UserWarning)
            denoiser.load_weights(path)
    except Exception as error:  # a damaged file makes h5py and Keras raise nearly anything
        message = str(error).strip().splitlines()[0][:200]
        raise RunError(f"{path}: not this model's weights, or damaged ({message}).") from error


def _weights_path(run_dir):
    folder = located(run_dir)
    shipped_ones = folder / "weights.npz"
    return shipped_ones if shipped_ones.is_file() else folder / "weights.weights.h5"


def save_halves(run_dir: Path, denoiser: Denoiser) -> None:
    """Writes weights.npz, float16 as `shipped.halves` has them, and its hash into config.json.

    Raises:
        RunError: no config.json there, or weights beyond the range of 16 bits.
    """
    path, *_ = _read(run_dir)
    weights = path.with_name("weights.npz")
    try:
        planes = {k: halves.split(np.asarray(v)) for k, v in _by_name(denoiser).items()}
    except OverflowError as error:
        raise RunError(f"{run_dir}: has {error}.") from error
    with atomic.replacing(weights) as temporary:
        np.savez_compressed(temporary, **planes)  # type: ignore[arg-type]
    content = json.loads(path.read_text()) | {"sha256": shipped.digest(weights)}
    with atomic.replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def _load_halves(path, denoiser):
    """Gives a denoiser the weights that `save_halves` wrote; raises RunError for other bytes."""
    expected = json.loads((path.parent / "config.json").read_text()).get("sha256")
    if shipped.digest(path) != expected:
        raise RunError(f"{path}: damaged or replaced; its hash is not that in config.json.")
    arrays, wanted = _arrays(path), _by_name(denoiser)
    try:
        values = {name: halves.joined(planes) for name, planes in arrays.items()}
        shapes = {name: tuple(variable.shape) for name, variable in wanted.items()}
        if {name: value.shape for name, value in values.items()} != shapes:
            raise ValueError("other shapes")
    except ValueError as error:
        raise RunError(f"{path}: not this model's weights ({error}).") from error
    for name, variable in wanted.items():
        variable.assign(values[name])


def _by_name(denoiser):
    """Weights by number and path, "007/enc_conv3/bias"; two networks may have equal paths."""
    return {f"{i:03d}/{weight.path}": weight for i, weight in enumerate(denoiser.weights)}


def state_path(run_dir: Path) -> pathlib.Path:
    """The file of a run folder that a resumed training starts from."""
    return pathlib.Path(run_dir) / "checkpoint" / "state.npz"


def save_state(
    run_dir: Path,
    denoiser: Denoiser,
    step: int,
    keeping: Mapping[str, float] | None = None,
    better: bool = True,
) -> None:
    """Writes the weights for use, then everything that training needs to go on after `step`.

    In this order, for the state is what a resumed run believes in.

    Args:
        run_dir: the run folder.
        denoiser: compiled.
        step: number of steps that were done.
        keeping: numbers that the choice of the weights depends on, by name, if there is one.
        better: whether the weights are to be kept; False leaves those of before.
    """
    if better or not _weights_path(run_dir).is_file():
        save_weights(run_dir, denoiser)
    arrays = {"step": np.asarray(step, np.int64)}
    for name, value in (keeping or {}).items():
        arrays[f"{KEEPING}/{name}"] = np.asarray(value)
    for kind, variables in _variables(denoiser).items():
        for i, variable in enumerate(variables):
            arrays[f"{kind}/{i:04d}"] = np.asarray(variable)
    with atomic.replacing(state_path(run_dir)) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]


def load_state(run_dir: Path, denoiser: Denoiser) -> int:
    """Restores what `save_state` wrote; returns the step.

    Raises:
        RunError: damaged, or of another network.
    """
    path = state_path(run_dir)
    try:
        arrays = _arrays(path)
        arrays = {k: v for k, v in arrays.items() if not k.startswith(f"{KEEPING}/")}
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
    except RunError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: not this model's checkpoint, or damaged ({error}).") from error
    for name, variable in wanted.items():
        variable.assign(arrays[name])
    return step


def load_keeping(run_dir: Path, names: Iterable[str]) -> dict[str, float]:
    """Those numbers, of these names, that `save_state` wrote as `keeping`.

    Raises:
        RunError: a damaged state.
    """
    arrays = _arrays(state_path(run_dir), [f"{KEEPING}/{name}" for name in names])
    return {name.partition("/")[2]: float(value) for name, value in arrays.items()}


def _variables(denoiser):
    """Weights, and the optimiser's own: its step, its moments."""
    return {"model": denoiser.weights, "optimizer": denoiser.optimizer.variables}
