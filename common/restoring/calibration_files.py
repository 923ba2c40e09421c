"""Files of calibrations: the transform as JSON, for the same model another time."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing
from collections.abc import Callable

import numpy as np

from common import progress
from common.files import atomic
from common.networks import base
from common.restoring import calibrated_model, calibrated_noise

FORMAT = 2


def save(
    model: calibrated_model.Calibrated,
    path: str | pathlib.Path,
    noise: calibrated_noise.Estimate,
) -> None:
    """Write a calibration as JSON; `load` reads it.

    Args:
        model: to write the transform of.
        path: the file.
        noise: its estimate, for the reader.
    """
    content: dict[str, typing.Any] = {"calibration": FORMAT, "model": model.inner_name}
    content |= {"low": model.low, "high": model.high}
    content |= {key: np.asarray(weight).tolist() for key, weight in model.parts().items()}
    content["noise"] = dataclasses.asdict(noise) | {"read_noise": noise.read_noise}
    with atomic.replacing(pathlib.Path(path)) as temporary:
        temporary.write_text(json.dumps(content) + "\n")


def load(
    denoiser: base.Denoiser,
    path: str | pathlib.Path,
    *,
    name: str = "",
    show: Callable[[str], typing.Any] = progress.say,
) -> calibrated_model.Calibrated:
    """A denoiser with the transform of a file that `save` wrote.

    Args:
        denoiser: the model inside.
        path: of the file, or of a folder of results that has one for this model.
        name: of that model; if the file is for another, a line says so.
        show: called with that line.

    Raises:
        ValueError: the denoiser can't be calibrated; no such file, a damaged one, or one for other
            channels.
    """
    if why := calibrated_model.refusal(denoiser):
        raise ValueError(why)
    file = pathlib.Path(path)
    if file.is_dir():
        file = _of_folder(file, name)
    try:
        content = json.loads(file.read_text())
        if content["calibration"] != FORMAT:
            raise ValueError(f"format {content['calibration']}, expected {FORMAT}")
        low, high = float(content["low"]), float(content["high"])
        model = calibrated_model.Calibrated(denoiser, low, high)
        values = {key: np.array(content[key], np.float32) for key in model.parts()}
        numbers = np.concatenate([[low, high], *(v.ravel() for v in values.values())])
        if not low < high or not np.isfinite(numbers).all():
            raise ValueError("values that are no transform")
        if any((np.diff(values[f"{kind}_table"]) <= 0).any() for kind in ("forward", "back")):
            raise ValueError("a transform that does not rise")
    except OSError as error:
        raise ValueError(f"calibration: {file}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: no calibration, or damaged ({error}).") from error
    if name and content.get("model") not in ("", name):
        show(f"Careful: {file}: was made with {content.get('model')}, not with {name}.")
    for key, weight in model.parts().items():
        if values[key].shape != tuple(weight.shape):
            count = len(np.atleast_2d(values["forward_table"]))
            raise ValueError(
                f"{file}: a calibration for {count} channels; this model has "
                f"{denoiser.config.channels}."
            )
        weight.assign(values[key])
    return model


def _of_folder(folder, name):
    """The calibration in a folder, that of a model of this name where there are several."""
    paths = sorted(folder.glob("*calibration*.json"))
    if len(paths) > 1 and name:
        paths = [path for path in paths if _model_of(path) == name]
    if len(paths) != 1:
        raise ValueError(f"calibration: {folder} has {len(paths)} for this model; name a file.")
    return paths[0]


def _model_of(path):
    """The model that a file names; None if it is damaged."""
    try:
        return json.loads(path.read_text()).get("model")
    except (ValueError, AttributeError):
        return None
