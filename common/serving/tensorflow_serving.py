"""What TensorFlow Serving reads beside a SavedModel: warm-up requests, batching, models.config.

No part of TensorFlow Serving is needed to write them; the field numbers are those of its interface
(tensorflow_serving/apis: PredictionLog, PredictLog, PredictRequest, ModelSpec).
"""

import io

import numpy as np
import PIL.Image
import tensorflow as tf

from common.files import atomic

WARMUP_SIDE = 64  # of the images of warm-up requests, pixels, or the network's multiple
BATCHING = """\
# Requests of one size that come within 2 ms of each other are restored together.
# Read with --enable_batching --enable_per_model_batching_parameters.
max_batch_size { value: 8 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 100 }
"""


def write_extras(folder, name, specs, multiple):
    """Writes a version's `assets.extra`: tf_serving_warmup_requests and batching_params.pbtxt.

    Args:
        folder: made if it is not there.
        name: of the model.
        specs: {signature: {input: TensorSpec}}; one request for each.
        multiple: of the sides that a signature without padding takes.
    """
    folder.mkdir(exist_ok=True)
    (folder / "batching_params.pbtxt").write_text(BATCHING)
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for signature, inputs in specs.items():
            side = -(-WARMUP_SIDE // multiple) * multiple
            given = {key: _example(spec, side) for key, spec in inputs.items()}
            writer.write(prediction_log(name, signature, given))


def write_models_config(folder, name):
    """Writes `<folder>/models.config` for a server that finds the folder at /models/<name>.

    One that is there already, with versions pinned perhaps, stays.
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


def prediction_log(name, signature, inputs):
    """A PredictionLog, serialised, of a request for a signature with a dict of arrays."""
    model = _field(1, name.encode()) + _field(3, signature.encode())
    request = _field(1, model)
    for key, array in inputs.items():
        tensor = tf.make_tensor_proto(array).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number, content):
    """A field of bytes in the wire format of protocol buffers."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes(found + bytes([value]))


def _example(spec, side):
    """An array that fits a TensorSpec: grey images, or a PNG file."""
    if spec.dtype == tf.string:
        file = io.BytesIO()
        PIL.Image.new("RGB", (side, side), (128, 128, 128)).save(file, "png")
        return np.array([file.getvalue()], object)
    shape = [1, *(n or side for n in spec.shape[1:])]
    grey = 128 if spec.dtype == tf.uint8 else 0.5
    return np.full(shape, grey, spec.dtype.as_numpy_dtype)
