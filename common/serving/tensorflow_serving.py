"""Files for TensorFlow Serving beside a SavedModel: warm-up requests, batching, models.config.

Writing them needs no part of TensorFlow Serving. The field numbers are those of its interface
(tensorflow_serving/apis: PredictionLog, PredictLog, PredictRequest, ModelSpec).
"""

from __future__ import annotations

import io
import pathlib
from collections.abc import Mapping

import numpy as np
import PIL.Image
import tensorflow as tf

from common.files import atomic

WARMUP_SIDE = 64  # side of the images in warm-up requests, pixels; rounded up to the multiple
BATCHING = """\
# Requests of one size that come within 2 ms of each other are restored together.
# Read with --enable_batching --enable_per_model_batching_parameters.
max_batch_size { value: 8 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 100 }
"""


def write_extras(
    folder: pathlib.Path,
    name: str,
    specs: Mapping[str, Mapping[str, tf.TensorSpec]],
    multiple: int,
) -> None:
    """Write a version's `assets.extra`: tf_serving_warmup_requests and batching_params.pbtxt.

    Args:
        folder: made if it is missing.
        name: of the model.
        specs: {signature: {input: TensorSpec}}; there is one request for each signature.
        multiple: the sides of the images are multiples of it, as signatures without padding need.
    """
    folder.mkdir(exist_ok=True)
    (folder / "batching_params.pbtxt").write_text(BATCHING)
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for signature, inputs in specs.items():
            side = -(-WARMUP_SIDE // multiple) * multiple
            arrays = {key: _example(spec, side) for key, spec in inputs.items()}
            writer.write(prediction_log(name, signature, arrays))


def write_models_config(folder: pathlib.Path, name: str) -> None:
    """Write `<folder>/models.config` for a server that finds the folder at /models/<name>.

    An existing file stays, for the user may have pinned versions in it.
    """
    if (folder / "models.config").exists():
        return
    content = (
        "# tensorflow_model_server --model_config_file=... ; the newest version is served.\n"
        "model_config_list {\n"
        f'  config {{ name: "{name}" base_path: "/models/{name}" model_platform: "tensorflow" }}\n'
        "}\n"
    )
    with atomic.replacing(folder / "models.config") as temporary:
        temporary.write_text(content)


def prediction_log(name: str, signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A serialised PredictionLog of one request.

    Args:
        name: of the model.
        signature: of the model, to be called.
        inputs: arrays for the inputs of the signature.
    """
    model = _field(1, name.encode()) + _field(3, signature.encode())
    request = _field(1, model)
    for key, array in inputs.items():
        tensor = tf.make_tensor_proto(array).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number, content):
    """Encode a field of bytes in the wire format of protocol buffers."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    """Encode an integer in the wire format of protocol buffers."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes(encoded + bytes([value]))


def _example(spec, side):
    """An array that fits a TensorSpec: grey images, or a PNG file."""
    if spec.dtype == tf.string:
        file = io.BytesIO()
        PIL.Image.new("RGB", (side, side), (128, 128, 128)).save(file, "png")
        return np.array([file.getvalue()], object)
    shape = [1, *(n or side for n in spec.shape[1:])]
    grey = 128 if spec.dtype == tf.uint8 else 0.5
    return np.full(shape, grey, spec.dtype.as_numpy_dtype)
