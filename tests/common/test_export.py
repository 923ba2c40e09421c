"""common.export: each method's SavedModel gives the denoiser's pixels, without this project."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from common import export

RNG = np.random.default_rng(0)
PACKAGES = {
    "n2n_tf": {"channels": 3},
    "n2n_tf.mri": {},
    "rdunet_tf": {"channels": 1, "width": 4},
    "ssdn_tf": {"channels": 1},
    "n2v_tf": {"channels": 2, "width": 4},
}
PROGRAM = """
import sys
import numpy as np, tensorflow as tf
for name in sys.argv[1:]:
    serve = tf.saved_model.load(f"{name}/1").signatures["serving_default"]
    with np.load(f"{name}.npz") as inputs:
        result = serve(**{key: tf.constant(value) for key, value in inputs.items()})
    np.save(f"{name}.npy", result["denoised"])
assert "common" not in sys.modules
"""


@pytest.mark.slow
def test_all_methods_in_a_process_without_this_project(tmp_path):
    expected = {}
    for package, settings in PACKAGES.items():
        configs = importlib.import_module(f"{package}.configs")
        denoiser = importlib.import_module(f"{package}.denoiser")
        model = denoiser.Denoiser(configs.Config(**settings).completed())
        assert export.export(model, tmp_path / package).name == "1"
        inputs = {
            name: RNG.random((2, 33, 45, count or model.config.channels), np.float32)
            for name, count in model.INPUTS.items()
        }
        np.savez(tmp_path / f"{package}.npz", **inputs)
        expected[package] = model.predict_on_batch(inputs)["denoised"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *PACKAGES], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for package, denoised in expected.items():
        served = np.load(tmp_path / f"{package}.npy")
        # Two graphs of the same model add in another order.
        np.testing.assert_allclose(served, denoised, atol=2e-5, err_msg=package)
