"""A trained denoiser as a graph that runs without this project: SavedModel or ONNX files."""

import importlib.util
import logging
import os
import pathlib
import re
import shutil

import keras
import numpy as np
import tensorflow as tf

from common.files import image_files, pixels
from common.serving import tensorflow_serving

ONNX_OPSET = 18


def export(denoiser, output, *, name):
    """Writes the SavedModel `<output>/<version>/`, the next free number, whole or not at all.

    With it go what TensorFlow Serving asks for: requests to warm up with and a hint for batching in
    `assets.extra/`, and, once, `<output>/models.config`.

    Args:
        denoiser: `denoiser.Denoiser`.
        output: folder.
        name: under which a server will know the model.

    Returns:
        Path of the version's folder. Its signatures are those of `signatures`.

    Raises:
        ValueError: a name that a server can't have, or another backend than TensorFlow.
    """
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError(f"model_name={name!r}: expected letters, digits, _, - and dots.")
    endpoints = signatures(denoiser)

    def write(folder):
        archive = keras.export.ExportArchive()
        archive.track(denoiser)
        for signature, (function, specs) in endpoints.items():
            archive.add_endpoint(signature, function, [specs])
        archive.write_out(folder, verbose=False)
        specs = {signature: specs for signature, (_, specs) in endpoints.items()}
        tensorflow_serving.write_extras(
            folder / "assets.extra", name, specs, denoiser.config.side_multiple
        )

    version = _write_version(output, write, "saved_model.pb")
    tensorflow_serving.write_models_config(pathlib.Path(output), name)
    return version


def export_onnx(denoiser, output):
    """Writes `<output>/<version>/<signature>.onnx`, as `export`; of what ONNX has operations for.

    Raises:
        ValueError: another backend than TensorFlow, the extra `onnx` is not installed, or ONNX
            lacks operations: the Fourier transforms of n2n_tf.mri and of deblur's logarithms.
    """
    if importlib.util.find_spec("tf2onnx") is None:
        raise ValueError("format=onnx: not installed; pip install 'noise2x[onnx]'.")
    endpoints = signatures(denoiser)

    def write(folder):
        folder.mkdir()
        for signature, (function, specs) in endpoints.items():
            if all(spec.dtype != tf.string for spec in specs.values()):
                (folder / f"{signature}.onnx").write_bytes(to_onnx(function, specs))

    return _write_version(output, write, "*.onnx")


def to_onnx(function, specs):
    """A function of a dict of tensors as the bytes of an ONNX model, its inputs named by `specs`.

    Raises:
        ValueError: it has operations that ONNX lacks.
    """
    import onnx
    import tf2onnx

    def positional(*tensors):
        return function(dict(zip(specs, tensors)))

    # What it can't optimise or translate it logs, and goes on; the check below sees what matters.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    signature = list(specs.values())
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


def signatures(denoiser):
    """What a model offers: {name: (function of a dict of tensors, {input: TensorSpec})}.

    All but `tile` take any height and width from 1 up.
    serving_default: `noisy` (N, H, W, C), of volumes (N, D, H, W, C), float32 in [0, 1], and what
        else INPUTS names -> the denoiser's float32 outputs.
    tile: the same without padding; sides must be multiples of the network's.
    denoise_uint8: `noisy` uint8 -> `denoised` uint8, and what else there is, float32 on [0, 1].
    denoise_png: `image_bytes` (N,), PNG or JPEG files -> `denoised_bytes` (N,), PNG files of 8
        bits; of blind-spot models also `std_bytes`, PNG of 16 bits of which 65535 is 1, and
        `noise_std` (N,). Names end in _bytes, for only those travel through JSON.
    denoise_at_level, of models of known noise: as serving_default with `noise_level` (N,): sigma on
        [0, 1], lambda, or probability. The others take the level of the training; where that was a
        range, there is none, and all of them ask for it.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError("Exporting needs KERAS_BACKEND=tensorflow.")
    config = denoiser.config
    sides = (None,) * (1 + denoiser.spatial)
    floats = {
        name: tf.TensorSpec((*sides, count or config.channels), tf.float32, name=name)
        for name, count in denoiser.INPUTS.items()
    }
    level = {"noise_level": tf.TensorSpec((None,), tf.float32, name="noise_level")}
    needs_level = config.takes_level and not config.noise.is_fixed
    asked = level if needs_level else {}
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
        given = {name: inputs[name][None] for name in asked}
        result = restore_uint8(given | {"noisy": image[None]})
        found = {"denoised_bytes": tf.io.encode_png(result["denoised"][0])}
        if denoiser.predicts_std:
            std = _to_integers(result["std"][0], 65535.0, tf.uint16)
            found["std_bytes"] = tf.io.encode_png(std)
            found["noise_std"] = tf.reduce_mean(result["noise_std"])
        return found

    def restore_files(inputs):
        types = {"denoised_bytes": tf.string}
        if denoiser.predicts_std:
            types |= {"std_bytes": tf.string, "noise_std": tf.float32}
        # One by one: files of a batch may differ in size.
        return tf.map_fn(restore_file, inputs, fn_output_signature=types, parallel_iterations=1)

    found = {"serving_default": (restore, floats | asked)}
    if denoiser.TILES:
        found["tile"] = (restore_tile, floats | asked)
    if config.takes_level:
        found["denoise_at_level"] = (restore, floats | level)
    if list(floats) == ["noisy"]:
        found["denoise_uint8"] = (restore_uint8, {"noisy": integers} | asked)
        if denoiser.spatial == 2 and config.channels in (1, 3):
            found["denoise_png"] = (restore_files, {"image_bytes": files} | asked)
    return found


def _to_integers(values, white, dtype):
    return tf.cast(tf.clip_by_value(values * white + 0.5, 0.0, float(dtype.max)), dtype)


def _write_version(output, write, kind):
    """Calls write(folder) and gives the folder the next free number: 1, 2, ...

    Raises ValueError if a version there has no file of the kind: a server takes the last of all.
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
                # Another process has just taken this number.
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
