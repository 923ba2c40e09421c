"""A trained denoiser as a graph that runs without this project: SavedModel or ONNX files."""

from __future__ import annotations

import importlib.util
import logging
import os
import pathlib
import re
import shutil
import typing
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from common.files import image_files, pixels
from common.networks import upsampling
from common.serving import input_checks, tensorflow_serving
from common.types import Array

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

ONNX_OPSET = 18

# A function of a dict of tensors that returns a dict of tensors, or a tensor.
Function = Callable[[dict[str, Array]], Array]


def export(denoiser: Denoiser, output: str | pathlib.Path, *, name: str) -> pathlib.Path:
    """Write a SavedModel to `<output>/<version>/`, the next free number, whole or not at all.

    For TensorFlow Serving there are also warm-up requests and settings for batching, in the
    version's `assets.extra/`, and `<output>/models.config`, unless the folder has one.

    Args:
        denoiser: the trained model.
        output: the folder; made if it is missing.
        name: the name under which a server offers the model.

    Returns:
        Path of the version's folder. The model has the signatures of `signatures`.

    Raises:
        ValueError: a server can't have this name, or Keras runs on another backend than TensorFlow.
    """
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError(f"model_name={name!r}: expected letters, digits, _, - and dots.")
    endpoints = signatures(denoiser)

    def write(folder):
        archive = keras.export.ExportArchive()
        archive.track(denoiser)
        for signature, (function, specs) in endpoints.items():
            multiple = denoiser.config.side_multiple if signature == "tile" else 1
            checked = input_checks.checked(function, specs, denoiser.is_on_unit_scale, multiple)
            archive.add_endpoint(signature, checked, [specs])
        archive.write_out(folder, verbose=False)
        specs = {signature: specs for signature, (_, specs) in endpoints.items()}
        tensorflow_serving.write_extras(
            folder / "assets.extra", name, specs, denoiser.config.side_multiple
        )

    version = _write_version(output, write, "saved_model.pb")
    tensorflow_serving.write_models_config(pathlib.Path(output), name)
    return version


def export_onnx(denoiser: Denoiser, output: str | pathlib.Path) -> pathlib.Path:
    """Write `<output>/<version>/<signature>.onnx`, the next free number, whole or not at all.

    ONNX has no operations for picture files, so there is no denoise_png.

    Returns:
        Path of the version's folder.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow, the extra `onnx` is not
            installed, or ONNX lacks operations of the model: the Fourier transforms of n2n_tf.mri
            and of deblur's logarithms.
    """
    if importlib.util.find_spec("tf2onnx") is None:
        raise ValueError("format=onnx: not installed; pip install 'noise2x[onnx]'.")
    endpoints = signatures(denoiser.for_onnx())

    def write(folder):
        folder.mkdir()
        for signature, (function, specs) in endpoints.items():
            if all(spec.dtype != tf.string for spec in specs.values()):
                (folder / f"{signature}.onnx").write_bytes(to_onnx(function, specs))

    return _write_version(output, write, "*.onnx")


def check_backend() -> None:
    """Raises ValueError if Keras runs on another backend than TensorFlow, which traces graphs."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError("Exporting needs KERAS_BACKEND=tensorflow.")


def to_onnx(function: Function, specs: Mapping[str, tf.TensorSpec]) -> bytes:
    """Convert a function of a dict of tensors to an ONNX model, as the bytes of its file.

    specs: {input: TensorSpec}; the inputs of the model have these names.

    Raises:
        ValueError: ONNX lacks operations of the function.
    """
    import onnx
    import tf2onnx

    def positional(*tensors):
        return function(dict(zip(specs, tensors)))

    # tf2onnx logs what it can't optimise or translate, and goes on. The check below finds what
    # matters.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    signature = list(specs.values())
    with upsampling.in_phases():
        model, _ = tf2onnx.convert.from_function(
            tf.function(positional, input_signature=signature, autograph=False),
            input_signature=signature,
            opset=ONNX_OPSET,
        )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        reason = image_files.short(error)
        raise ValueError(f"format: ONNX can't express this model ({reason}).") from error
    return model.SerializeToString()


def signatures(
    denoiser: Denoiser,
) -> dict[str, tuple[Function, dict[str, tf.TensorSpec]]]:
    """The signatures of an exported model: {name: (function, {input: TensorSpec})}.

    All but `tile` take any height and width from 1 up. Float values are in [0, 1]; models of counts
    and those with a calibration take and give values as the files have them.
    serving_default: `noisy` (N, H, W, C) or, for volumes, (N, D, H, W, C), float32, and the
        other inputs that INPUTS names -> the denoiser's float32 results.
    tile: the same without padding; the sides must be multiples of the network's multiple.
    denoise_uint8: `noisy` uint8 -> `denoised` uint8; the other results are float32.
    denoise_png: `image_bytes` (N,), PNG or JPEG files -> `denoised_bytes` (N,), 8-bit PNG files;
        blind-spot models also return `std_bytes`, 16-bit PNG files where 65535 stands for 1, and
        `noise_std` (N,). Tensors of bytes must have names in _bytes to travel through JSON.
    denoise_at_level, for models of known noise: as serving_default, with `noise_level` (N,): sigma
        on [0, 1], lambda, or a share. The other signatures use the level of the training. If that
        was a range, they need `noise_level` too.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """
    check_backend()
    config = denoiser.config
    sides = (None,) * (1 + denoiser.spatial)
    floats = {
        name: tf.TensorSpec((*sides, count or config.channels), tf.float32, name=name)
        for name, count in denoiser.INPUTS.items()
    }
    level = {"noise_level": tf.TensorSpec((None,), tf.float32, name="noise_level")}
    asked = level if denoiser.needs_level else {}
    integers = tf.TensorSpec((*sides, config.channels), tf.uint8, name="noisy")
    files = tf.TensorSpec((None,), tf.string, name="image_bytes")
    white = pixels.white_level(np.uint8, config.white_level)

    def restore(inputs):
        return denoiser(inputs, training=False)

    def restore_tile(inputs):
        return denoiser(inputs, training=False, padded=False)

    def restore_uint8(inputs):
        unit = tf.cast(inputs["noisy"], tf.float32) * np.float32(1 / white)
        result = restore(inputs | {"noisy": unit})
        return result | {"denoised": _to_integers(result["denoised"], white, tf.uint8)}

    def restore_file(inputs):
        image = tf.io.decode_image(inputs["image_bytes"], channels=3, expand_animations=False)
        image = tf.ensure_shape(image, (None, None, 3))
        if config.channels == 1:
            grey = tf.reduce_mean(tf.cast(image, tf.float32), axis=-1, keepdims=True)
            image = tf.cast(tf.round(grey), tf.uint8)
        levels = {name: inputs[name][None] for name in asked}
        result = restore_uint8(levels | {"noisy": image[None]})
        outputs = {"denoised_bytes": tf.io.encode_png(result["denoised"][0])}
        if denoiser.predicts_std:
            std = _to_integers(result["std"][0], 65535.0, tf.uint16)
            outputs["std_bytes"] = tf.io.encode_png(std)
            outputs["noise_std"] = tf.reduce_mean(result["noise_std"])
        return outputs

    def restore_files(inputs):
        types = {"denoised_bytes": tf.string}
        if denoiser.predicts_std:
            types |= {"std_bytes": tf.string, "noise_std": tf.float32}
        # One by one, for the files of a batch may differ in size.
        return tf.map_fn(restore_file, inputs, fn_output_signature=types, parallel_iterations=1)

    endpoints: dict[str, tuple[Function, dict[str, tf.TensorSpec]]] = {
        "serving_default": (restore, floats | asked)
    }
    if denoiser.TILES:
        endpoints["tile"] = (restore_tile, floats | asked)
    if denoiser.takes_level:
        endpoints["denoise_at_level"] = (restore, floats | level)
    if list(floats) == ["noisy"]:
        endpoints["denoise_uint8"] = (restore_uint8, {"noisy": integers} | asked)
        pictures = denoiser.SERVES_PICTURES and denoiser.spatial == 2
        if pictures and config.channels in (1, 3):
            endpoints["denoise_png"] = (restore_files, {"image_bytes": files} | asked)
    return endpoints


def _to_integers(values, white, dtype):
    """Scale a tensor from [0, 1] to an integer type; rounded half up and clipped."""
    return tf.cast(tf.clip_by_value(values * white + 0.5, 0.0, float(dtype.max)), dtype)


def _write_version(output, write, kind):
    """Call write(folder) and give the folder the next free number: 1, 2, ...

    Raises ValueError if another version has no file that matches `kind`: a server always takes the
    last version, whatever its format.
    """
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    if others := [p for p in output.iterdir() if p.name.isdigit() and not any(p.glob(kind))]:
        raise ValueError(f"{others[0]}: a version in another format; choose another --output.")
    temporary = output / f".part-{os.getpid()}"
    try:
        write(temporary)
        while True:
            taken = [int(p.name) for p in output.iterdir() if p.name.isdigit()]
            version = output / str(max(taken, default=0) + 1)
            try:
                os.rename(temporary, version)
                return version
            except OSError:
                if not version.exists():
                    raise
                # Another process has just taken this number: try the next one.
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
