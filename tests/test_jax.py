"""KERAS_BACKEND=jax: from the same weights the same losses as TensorFlow, and the same scores."""

import csv
import importlib.util
import shutil

import numpy as np
import pytest

from common.files import image_files
from common.training import loop, optimizers, runs
from ssdn_tf import configs, denoiser
from tests.conftest import TINY

STEPS = 20


def losses(run_dir):
    with open(run_dir / "log.csv", newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed; it is no dependency"
)
def test_the_same_losses_and_scores_as_tensorflow(tmp_path, run_command):
    # Both go on from one checkpoint: the backends draw other initial weights from the same seed.
    # Of known noise: an estimated level starts at 0.019, a loss of 85 whose first steps magnify the
    # order of sums; there two settings of TensorFlow itself differ more than it does from JAX.
    config = configs.Config(num_images=STEPS, batch_size=1, crop_size=32)
    model = denoiser.Denoiser(config)
    loop.compile_for_training(model, optimizers.ramped_adam(config))
    backends = {name: tmp_path / name for name in ("tensorflow", "jax")}
    runs.save_config(backends["tensorflow"], "ssdn_tf", config)
    runs.save_state(backends["tensorflow"], model, 0)
    shutil.copytree(backends["tensorflow"], backends["jax"])
    results = {}
    for name, run_dir in backends.items():
        env = {"KERAS_BACKEND": name}
        flags = [f"--run_dir={run_dir}", "--resume", "--checkpoint_every=1", "--eval_every=100"]
        done = run_command("ssdn_tf.train", *flags, env=env)
        assert done.returncode == 0, done.stderr
        flags = [f"--run_dir={run_dir}", "--max_images=1"]
        done = run_command("ssdn_tf.evaluate", *flags, env=env)
        assert done.returncode == 0, done.stderr
        results[name] = done.stdout.split("RESULT")[1].split("psnr=")[1].split()[0]
    assert len(losses(backends["jax"])) == STEPS
    # The difference grows from step to step: a sum in another order turns a ReLU at its kink.
    jax, tensorflow = losses(backends["jax"]), losses(backends["tensorflow"])
    np.testing.assert_allclose(jax[:10], tensorflow[:10], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(jax, tensorflow, rtol=3e-3, atol=3e-3)
    assert float(results["jax"]) == pytest.approx(float(results["tensorflow"]), abs=0.01)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed; it is no dependency"
)
@pytest.mark.parametrize(
    ("package", "settings"),
    [
        ("n2v_tf", ["--width=4"]),
        ("dbsn_tf", ["--width=4", "--blocks=1", "--channels=1"]),
        ("dbsn_tf.distill", ["--network=unet", "--channels=1"]),
    ],
)
def test_two_processes_learn_what_one_does(package, settings, tmp_path, run_command):
    import concurrent.futures
    import socket

    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    flags = ["--num_images=24", "--batch_size=4", "--crop_size=32", *settings]
    flags += ["--precision=float32", "--checkpoint_every=8"]

    def train(run_dir, *cluster):
        env = {"KERAS_BACKEND": "jax"}
        return run_command(f"{package}.train", f"--run_dir={run_dir}", *flags, *cluster, env=env)

    if package == "dbsn_tf.distill":
        teacher = ["--width=4", "--blocks=1", "--channels=1", *TINY]
        done = run_command("dbsn_tf.train", f"--run_dir={tmp_path / 'teacher'}", *teacher)
        assert done.returncode == 0, done.stderr
        noise = np.random.default_rng(0).integers(0, 255, (40, 44, 1), np.uint8)
        image_files.write(tmp_path / "noisy" / "a.png", noise)
        flags += [f"--teacher={tmp_path / 'teacher'}", f"--noisy_set={tmp_path / 'noisy'}"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        indices = [f"--cluster={address},2,{i}" for i in range(2)]
        for done in pool.map(lambda index: train(tmp_path / "two", index), indices):
            assert done.returncode == 0, done.stderr
    assert train(tmp_path / "one").returncode == 0
    assert len(losses(tmp_path / "two")) == 3
    # Halves of a batch add up in another order.
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=2e-5)
