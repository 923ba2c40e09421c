"""serving_client against a server that speaks TensorFlow Serving's REST and runs the model.

The server is this test's, for there is no binary of the real one to be had; what it answers is what
the exported SavedModel says, in the JSON of https://www.tensorflow.org/tfx/serving/api_rest.
"""

import base64
import http.server
import json
import subprocess
import sys
import threading

import numpy as np
import PIL.ExifTags
import PIL.Image
import pytest
import tensorflow as tf
import tifffile

from common.files import image_files
from common.serving import saved_models
from tests import factory
from tests.conftest import ROOT

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(denoiser, address)."""
    denoiser = factory.build("ssdn_tf", channels=1)
    saved = saved_models.export(denoiser, tmp_path_factory.mktemp("model"), name="mine")
    loaded = tf.saved_model.load(str(saved))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                if self.path != "/v1/models/mine:predict":
                    raise KeyError("Servable not found")
                signature = loaded.signatures[body["signature_name"]]
                specs = signature.structured_input_signature[1]
                inputs = {
                    k: tf.constant(_raw(v), specs[k].dtype) for k, v in body["inputs"].items()
                }
                result = signature(**inputs)
                code, answer = 200, {"outputs": {k: _told(k, v) for k, v in result.items()}}
            except (KeyError, tf.errors.OpError) as error:
                code, answer = 400, {"error": str(error)[:200]}
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *unused):
            pass

    with http.server.ThreadingHTTPServer(("localhost", 0), Handler) as running:
        threading.Thread(target=running.serve_forever).start()
        yield denoiser, f"http://localhost:{running.server_port}"
        running.shutdown()


def _raw(value):
    """Bytes come as {"b64": ...}."""
    return [base64.b64decode(v["b64"]) if isinstance(v, dict) else v for v in value]


def _told(name, tensor):
    """Strings are encoded where the name ends in _bytes, as the real server does."""
    values = tensor.numpy()
    if values.dtype != object:
        return values.tolist()
    assert name.endswith("_bytes")
    return [{"b64": base64.b64encode(v).decode()} for v in values]


def test_the_client_starts_without_tensorflow():
    program = (
        "import sys, scripts.tools.serving_client; "
        "assert not {'tensorflow', 'keras'} & {*sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_pictures_and_stacks(server, tmp_path, run_command):
    denoiser, url = server
    pixels = RNG.integers(0, 256, (20, 33), np.uint8)
    exif = PIL.Image.Exif()
    exif[PIL.ExifTags.Base.Orientation] = 6
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    PIL.Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    stack = RNG.integers(0, 65535, (2, 9, 11)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "b.tif", stack, photometric="minisblack")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    PIL.Image.fromarray(pixels).save(tmp_path / "sub.jpg")
    flags = [f"--url={url}", "--model=mine", f"--output={tmp_path}/out"]
    PIL.Image.fromarray(pixels).save(tmp_path / "sub.png")
    twice = run_command("scripts.tools.serving_client", f"--input={tmp_path}/sub*", *flags)
    assert twice.returncode == 0, twice.stderr
    assert {"sub.jpg.png", "sub.png.png"} <= {path.name for path in (tmp_path / "out").iterdir()}
    (tmp_path / "sub.png").unlink()
    done = run_command("scripts.tools.serving_client", f"--input={tmp_path}/*.*", *flags)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "bad.png: not readable as an image" in done.stdout
    assert "1 of 5 files could not be restored" in done.stderr

    def expected(image, white):
        noisy = (image.astype(np.float32) / white)[None, ..., None]
        return denoiser.predict_on_batch({"noisy": noisy})["denoised"][0, ..., 0] * white

    restored = image_files.read_one(tmp_path / "out" / "a.png")[..., 0].astype(float)
    assert np.abs(restored - expected(pixels, 255).clip(0, 255)).max() < 1.1
    with PIL.Image.open(tmp_path / "out" / "turned.png") as turned:
        assert turned.size == (20, 33)
    pages = tifffile.imread(tmp_path / "out" / "b.tif")
    assert pages.dtype == np.uint16
    for page, noisy in zip(pages, stack):
        assert np.abs(page - expected(noisy, 65535).clip(0, 65535)).max() < 2
    flags = [f"--input={tmp_path}/a.png", f"--output={tmp_path}/other", "--model=other"]
    for address, said in ((url, "refused by the server, 400"), ("http://localhost:9", "no answer")):
        done = run_command("scripts.tools.serving_client", *flags, f"--url={address}")
        assert done.returncode == 1
        assert said in done.stdout + done.stderr and "Traceback" not in done.stderr
