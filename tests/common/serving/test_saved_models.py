"""common.export: signatures, versions, what a server reads, and who else can run the models."""

import importlib.util
import io
import subprocess
import sys

import keras
import numpy as np
import PIL.Image
import pytest

from common.serving import bioimage, saved_models
from scripts.check import check_export
from tests import factory

RNG = np.random.default_rng(0)

# The smallest of every method; what changes the graph is tried by the program itself (RESULTS.md).
SMALL = {
    "n2n_tf": {"channels": 3},
    "n2n_tf.mri": {},
    "rdunet_tf": {"channels": 1, "width": 4},
    "ssdn_tf": {"channels": 1},
    "n2v_tf": {"channels": 2, "width": 4},
    "dbsn_tf": {"width": 4, "blocks": 1},
    "deblur": {"channels": 1, "formulation": "log_nodc"},
    "superres": {"channels": 1},
}

BIOIMAGE = """
import sys
from bioimageio.core import test_model
for weights in ("keras_v3", "onnx"):
    summary = test_model(sys.argv[1], weight_format=weights)
    assert summary.status == "passed", [(d.name, d.errors) for d in summary.details if d.errors]
assert "common" not in sys.modules
"""


SIZES = ((1, 1), (33, 45))


def needs(*packages):
    missing = [p for p in packages if importlib.util.find_spec(p) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_tensorflow_alone_gives_the_denoisers_pixels(name, tmp_path):
    denoiser = factory.build(name, **SMALL[name])
    worst = check_export.check(denoiser, tmp_path, ["tensorflow"], SIZES)
    assert {signature for signature, _ in worst} == set(saved_models.signatures(denoiser))
    assert max(worst.values()) <= 2e-5, worst  # two graphs of one model add in another order


@pytest.mark.slow
@needs("tf2onnx", "onnxruntime", "openvino")
def test_onnx_runtime_and_openvino_too(tmp_path):
    worst = check_export.check(
        factory.build("n2v_tf", **SMALL["n2v_tf"]), tmp_path, ["onnxruntime", "openvino"]
    )
    assert len(worst) == 6 and max(worst.values()) <= 1e-5, worst


@needs("tf2onnx")
def test_onnx_has_no_transposed_convolutions():
    import onnx

    function, specs = saved_models.signatures(factory.build("n2n_tf", **SMALL["n2n_tf"]))["tile"]
    model = onnx.load_from_string(saved_models.to_onnx(function, specs))
    kinds = {node.op_type for node in model.graph.node}
    assert "Conv" in kinds and "DepthToSpace" in kinds and "ConvTranspose" not in kinds


@pytest.mark.slow
@needs("tf2onnx", "onnxruntime", "openvino")
@pytest.mark.parametrize("signature", ["serving_default", "denoise_uint8"])
def test_the_blind_spot_there_too(signature, tmp_path):
    """ONNX Runtime once took the row of zeros before a pooling for minus infinity."""
    denoiser = factory.build("ssdn_tf", **SMALL["ssdn_tf"])
    function, specs = saved_models.signatures(denoiser)[signature]
    path = tmp_path / "model.onnx"
    path.write_bytes(saved_models.to_onnx(function, specs))
    runs = [check_export.load_onnxruntime(path), check_export.load_openvino(path)]
    for inputs in check_export.inputs_of(denoiser, specs, signature):
        expected = {k: np.asarray(v) for k, v in function(inputs).items()}
        for run in runs:
            assert check_export.difference(run(inputs), expected) <= 1e-5


@needs("tf2onnx", "bioimageio")
def test_other_backends_of_keras_are_refused(tmp_path, monkeypatch):
    model = factory.build("n2v_tf", **SMALL["n2v_tf"])
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for export in (
        lambda: saved_models.export(model, tmp_path, name="a"),
        lambda: saved_models.export_onnx(model, tmp_path),
        lambda: bioimage.export(model, tmp_path, name="a", paper=None),
    ):
        with pytest.raises(ValueError, match="Exporting needs KERAS_BACKEND=tensorflow"):
            export()
    assert not list(tmp_path.iterdir())


@needs("tf2onnx")
@pytest.mark.parametrize("name", ["n2n_tf.mri", "deblur"])  # Fourier transforms
def test_what_onnx_has_no_operations_for_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match="ONNX can't express this model"):
        saved_models.export_onnx(factory.build(name, **SMALL[name]), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@needs("bioimageio", "tf2onnx", "onnxruntime")
def test_the_bioimage_zoos_own_test_passes(tiny_run, tmp_path, run_command):
    flags = [f"--run_dir={tiny_run}", f"--output={tmp_path}", "--format=bioimageio"]
    done = run_command("ssdn_tf.export", *flags)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "ssdn_tf-1.bioimageio.zip"
    program = [sys.executable, "-c", BIOIMAGE, str(path)]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def small():
    return factory.build("ssdn_tf", channels=1, noise="gauss25")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(denoiser, folder with version 1)."""
    denoiser, folder = small(), tmp_path_factory.mktemp("saved")
    assert saved_models.export(denoiser, folder, name="mine") == folder / "1"
    return denoiser, folder


@pytest.fixture(scope="module")
def served(saved):
    """The model as a server loads it."""
    import tensorflow as tf

    _, folder = saved
    return tf.saved_model.load(str(folder / "1"))


def test_versions_count_up_and_formats_do_not_mix(saved, tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "saved_model.pb").touch()
    n2v = factory.build("n2v_tf", width=4)
    assert saved_models.export(n2v, tmp_path, name="n2v").name == "8"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["7", "8", "models.config"]
    (tmp_path / "models.config").write_text("# version 7 is pinned here")
    saved_models.export(n2v, tmp_path, name="n2v")
    assert "pinned" in (tmp_path / "models.config").read_text()
    with pytest.raises(ValueError, match="model_name='a b'"):
        saved_models.export(n2v, tmp_path, name="a b")
    if importlib.util.find_spec("tf2onnx"):
        with pytest.raises(ValueError, match="a version in another format"):
            saved_models.export_onnx(n2v, tmp_path)


def test_pictures_in_pictures_out(saved, served):
    import tensorflow as tf

    denoiser, _ = saved
    serve = served.signatures["denoise_png"]
    contents, sizes = [], [(20, 33), (1, 1)]
    for kind, size in zip(("png", "jpeg"), sizes):
        file = io.BytesIO()
        PIL.Image.fromarray(RNG.integers(0, 256, (*size, 3), np.uint8)).save(file, kind)
        contents.append(file.getvalue())
    found = serve(image_bytes=tf.constant(contents))
    assert set(found) == {"denoised_bytes", "std_bytes", "noise_std"}
    restored, std = (
        [PIL.Image.open(io.BytesIO(b)) for b in found[name].numpy()]
        for name in ("denoised_bytes", "std_bytes")
    )
    assert [p.size[::-1] for p in restored] == sizes
    # As the command does it: colours to grey by their mean, rounded.
    pixels = np.array(PIL.Image.open(io.BytesIO(contents[0])))
    grey = np.rint(pixels.mean(axis=-1, keepdims=True)).astype(np.float32) / 255
    result = denoiser.predict_on_batch({"noisy": grey[None]})
    expected = np.clip(result["denoised"][0, ..., 0] * 255 + 0.5, 0, 255)
    assert np.abs(np.asarray(restored[0]).astype(float) - np.floor(expected)).max() <= 1
    deviation = np.asarray(std[0]).astype(float) / 65535
    np.testing.assert_allclose(deviation, result["std"][0, ..., 0], atol=2e-5)
    np.testing.assert_allclose(found["noise_std"], 25 / 255, rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError):
        serve(image_bytes=tf.constant([b"no picture"]))


GREY = np.full((1, 32, 40, 1), 0.5, np.float32)


@pytest.mark.parametrize(
    "signature, inputs, sentence",
    [
        ("serving_default", {"noisy": GREY[:0]}, r"noisy: no pixels; shape\] \[0 32 40 1\]"),
        ("serving_default", {"noisy": GREY.repeat(3, -1)}, "noisy: expected 1 channels; shape"),
        (
            "serving_default",
            {"noisy": GREY * 255},
            r"about \[0, 1\]; the largest absolute value.*127",
        ),
        ("serving_default", {"noisy": GREY * np.nan}, "the largest absolute value.*nan"),
        ("tile", {"noisy": GREY}, "sides that are multiples of 32"),
        ("denoise_uint8", {"noisy": np.zeros((1, 0, 4, 1), np.uint8)}, "noisy: no pixels"),
        ("denoise_uint8", {"noisy": np.zeros((1, 4, 4, 3), np.uint8)}, "expected 1 channels"),
        ("denoise_png", {"image_bytes": np.array([], object)}, "image_bytes: an empty list"),
        (
            "denoise_at_level",
            {"noisy": GREY, "noise_level": np.float32([0.1, 0.1])},
            r"one number for each image is expected; images, numbers:\] \[1\] \[2\]",
        ),
        ("denoise_at_level", {"noisy": GREY, "noise_level": np.float32([0])}, "numbers above 0"),
    ],
)
def test_what_a_client_sends_wrong_is_said_by_the_graph(served, signature, inputs, sentence):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        served.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})


def test_counts_of_any_size_pass_and_infinite_ones_do_not(tmp_path):
    import tensorflow as tf

    denoiser = factory.build("n2v_tf", width=4, depth=1, noise="none", data_path="cells.tif")
    folder = saved_models.export(denoiser, tmp_path, name="counts")
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    assert np.isfinite(serve(noisy=tf.constant(GREY * 1e5))["denoised"]).all()
    for value in (1e30, np.inf):
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected finite values"):
            serve(noisy=tf.constant(GREY * np.float32(value)))


def test_a_level_beside_the_trained_one(served):
    import tensorflow as tf

    noisy = RNG.random((2, 16, 16, 1), np.float32)
    given = {"noisy": tf.constant(noisy), "noise_level": tf.constant([0.02, 0.2])}
    found = served.signatures["denoise_at_level"](**given)
    np.testing.assert_allclose(found["noise_std"][:, 0, 0, 0], [0.02, 0.2], rtol=1e-5)
    ranged = factory.build("ssdn_tf", channels=1, noise="gauss5_50")
    assert all("noise_level" in specs for _, specs in saved_models.signatures(ranged).values())


def test_what_a_server_reads(saved, served):
    """By the classes of TensorFlow Serving's own interface."""
    import tensorflow as tf

    logs = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    denoiser, folder = saved
    extra = folder / "1" / "assets.extra"
    records = tf.data.TFRecordDataset(str(extra / "tf_serving_warmup_requests"))
    seen = set()
    for record in records.as_numpy_iterator():
        request = logs.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == "mine"
        signature = request.model_spec.signature_name
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        served.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})  # it runs
        seen.add(signature)
    assert seen == set(saved_models.signatures(denoiser))
    config = text_format.Parse(
        (folder / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    (entry,) = config.model_config_list.config
    assert (entry.name, entry.base_path) == ("mine", "/models/mine")
    assert "max_batch_size { value: 8 }" in (extra / "batching_params.pbtxt").read_text()


@pytest.mark.slow
def test_eight_threads_at_one_model(tmp_path):
    denoiser = factory.build("n2v_tf", width=4)
    wrong, before, after = check_export.load_test(denoiser, tmp_path, 2000)
    assert wrong == 0
    assert after - before < 40, "megabytes"
