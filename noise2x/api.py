"""The project in some functions: load a model, restore an image, calibrate for its noise."""

from __future__ import annotations

import pathlib
import typing
import warnings

if typing.TYPE_CHECKING:
    import numpy as np

    from common.networks.base import Denoiser


def load(
    run_dir: str | pathlib.Path,
    precision: str = "auto",
    *,
    calibration: str | pathlib.Path | None = None,
) -> Denoiser:
    """The trained model of a run folder, as it restores files.

    Args:
        run_dir: folder that `noise2x train` wrote, of any method, or the name of a shipped model.
        precision: arithmetic: "float32", "bfloat16", or "auto", which is bfloat16 where the
            processor has it and the method was measured to lose less than 0.02 dB by it.
        calibration: file that `save_calibration` or `denoise --calibrate` wrote, or the folder of
            the results; the model then takes and gives values of that scale.

    Returns:
        A Keras model. Called on (N, H, W, C) float32 it gives a dict with `denoised`, for
        blind-spot models also `std`, see `common.types.Result`.

    Raises:
        ValueError: no run folder, no weights in it yet, or damaged ones; the same of the
            calibration, or one that is for other channels.
    """
    from common import configuration, quiet
    from common.commands.flags import PRECISIONS
    from noise2x import methods

    configuration.expect("precision", precision, PRECISIONS)
    quiet.import_keras()
    model = methods.of_run(run_dir).load_deployed(run_dir, precision)
    if calibration is None:
        return model
    from common.restoring import calibration_files

    name = str(run_dir)
    return calibration_files.load(model, calibration, name=name, show=_warn)


def save_calibration(model: Denoiser, path: str | pathlib.Path) -> None:
    """Writes what `calibrate` found as JSON; `load(..., calibration=path)` reads it.

    Args:
        model: of `calibrate`.
        path: the file, for instance cells-calibration.json.

    Raises:
        ValueError: a model that was not just calibrated, or the path of a folder.
    """
    from common.restoring import calibrated_model, calibrated_noise, calibration_files

    if not isinstance(model, calibrated_model.Calibrated) or not model.curves:
        raise ValueError("save_calibration: expected a model of noise2x.calibrate.")
    if pathlib.Path(path).is_dir():
        raise ValueError(f"save_calibration: {path} is a folder; name a file.")
    noise = calibrated_noise.estimate(model)
    calibration_files.save(model, path, noise)


def _warn(line: str) -> None:
    """Passes a line that commands print on as a warning to the caller of a function here."""
    warnings.warn(line, stacklevel=4)


def calibrate(
    images: typing.Sequence[np.ndarray], model: Denoiser | str | pathlib.Path | None = None
) -> Denoiser:
    """A model for the noise of images that nobody described: of a camera or microscope, in counts.

    What speaks against it comes as a warning.

    Args:
        images: noisy ones of one acquisition, (H, W) or (H, W, C), of any scale.
        model: of Gaussian noise, as the shipped ones: of `load`, or a run folder or name. None for
            "photo-grey", or "photo" for images of three channels.

    Returns:
        A model for `denoise`, which takes and gives values of that scale.

    Raises:
        ValueError: images of different or other channels, NaN or infinite values, too few pixels,
            or a model that can't be calibrated.
    """
    import numpy as np

    from common.files import image_files
    from noise2x import methods

    arrays = [np.asarray(image) for image in images]
    arrays = [array[..., None] if array.ndim == 2 else array for array in arrays]
    if not arrays or {array.ndim for array in arrays} != {3}:
        raise ValueError("images: expected a list of (H, W) or (H, W, C) arrays.")
    for array in arrays:
        image_files.check_values("image", array)
    arrays = [image_files.usable("image", array) for array in arrays]
    if model is None:
        ready = methods.find(methods.READY).ready
        model = ready.get(arrays[0].shape[-1], ready[1])
    name = ""
    if isinstance(model, (str, pathlib.Path)):
        name, model = str(model), load(model)
    channels = {array.shape[-1] for array in arrays}
    if channels != {model.config.channels}:
        raise ValueError(f"images: {channels} channels; the model has {model.config.channels}.")
    from common.evaluation import calibration_doubts
    from common.restoring import calibration

    model = calibration.calibrate(model, arrays)
    model.inner_name = name
    for doubt in calibration_doubts.of_calibration(model, arrays):
        warnings.warn(doubt, stacklevel=2)
    return model


def denoise(
    image: np.ndarray,
    model: Denoiser | str | pathlib.Path,
    *,
    noise_level: float | None = None,
    white_level: float = 0.0,
    tta: bool = False,
) -> dict[str, np.ndarray]:
    """Restores one image of any size, in tiles where memory asks for them.

    Args:
        image: (H, W), (H, W, C), or for models of volumes (D, H, W) or (D, H, W, C). uint8 and
            uint16 are scaled by their largest value to [0, 1] and back, floats are taken as they
            are. Models that were trained on files of counts take and give counts.
        model: of `load`, or a run folder.
        noise_level: of the image, in the units of the noise string (sigma in 8-bit units, lambda,
            per cent), for models of known noise; None for that of the training, or, if that was a
            range, for what the model finds.
        white_level: stored value that stands for 1; 0 for that of the training. Calibrated models
            have none.
        tta: average over the 8 ways to turn and mirror the image; 8 times the work.

    Returns:
        `denoised`, in the type and range of the image and of its shape (models that enlarge give
        larger ones), and what else the model gives, for example `std` (H, W, C), float32 on [0, 1];
        of calibrated models in the values of the image.

    Raises:
        ValueError: a type, a number of axes or of channels, or values that the model does not take,
            NaN or infinite values, a level that is missing or out of range.
    """
    import numpy as np

    from common.files import image_files, pixels
    from common.restoring import calibrated_model, file_by_file, prediction

    if isinstance(model, (str, pathlib.Path)):
        model = load(model)
    config = model.config
    if list(model.INPUTS) != ["noisy"]:
        raise ValueError("denoise: this model restores from more than an image; call it itself.")
    if white_level and isinstance(model, calibrated_model.Calibrated):
        raise ValueError("white_level: a calibrated model takes the values as they are.")
    if white_level < 0:
        raise ValueError(f"white_level={white_level}: expected 0 or more.")
    image = np.asarray(image)
    white_level = white_level or config.white_level
    if not (image.dtype in (np.uint8, np.uint16) or image.dtype.kind in "fb" or white_level):
        raise ValueError(
            f"image: {image.dtype} values; expected uint8, uint16 or floats in [0, 1], or say with "
            "white_level which value stands for 1."
        )
    added = image.ndim == model.spatial
    noisy = image[..., None] if added else image
    if noisy.ndim != model.spatial + 1 or noisy.shape[-1] != config.channels or 0 in noisy.shape:
        raise ValueError(
            f"image: shape {image.shape}; expected {model.spatial} sides and {config.channels} "
            "channels."
        )
    image_files.check_values("image", noisy)
    usable = image_files.usable("image", noisy)
    if image.dtype.kind == "f" and not white_level and np.abs(usable).max() > pixels.MAX_FLOAT:
        raise ValueError(
            f"image: values up to {np.abs(usable).max():g}, expected about [0, 1]; say with "
            "white_level which value stands for 1."
        )
    white = pixels.white_level(usable.dtype, white_level)
    inputs = {"noisy": pixels.to_unit(usable, white)}
    level = file_by_file.noise_parameter(model, noise_level)
    if level is not None:
        inputs["noise_level"] = np.float32(level)
    restore = prediction.restore_augmented if tta else prediction.restore
    result = dict(restore(model, inputs))
    stored = image.dtype if image.dtype in (np.uint8, np.uint16) else usable.dtype
    denoised = pixels.from_unit(result["denoised"], stored, white)
    return result | {"denoised": denoised[..., 0] if added else denoised}
