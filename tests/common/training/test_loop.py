"""common.training: a run that is killed and resumed ends in the weights of one that was not."""

import csv
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from PIL import Image

from common.training import loop, runs
from rdunet_tf import configs, method
from tests.conftest import ROOT

FLAGS = ["--num_images=14", "--batch_size=1", "--checkpoint_every=3", "--eval_every=100"]
# What has a state of its own: a scalar beside the network, letters drawn outside of TensorFlow,
# spectra and a moment that decays at a changing pace, weight decay, batch normalisation, stages.
# With SSDN, crops that grow.
METHODS = {
    "ssdn_tf": ["--crop_size=32", "--noise=gauss5_50", "--noise_params=global", "--schedule=fast"],
    "n2n_tf": ["--crop_size=32", "--noise=text0_50", "--schedule=fast"],
    "n2n_tf.mri": ["--crop_size=31"],
    "rdunet_tf": [
        *("--crop_size=32", "--width=4", "--precision=float32", "--initial=torch", "--augment"),
        *("--noise=gauss5_50_step5_clipped", "--keep=best", "--eval_every=5"),
    ],
    "dbsn_tf": ["--crop_size=32", "--width=4", "--blocks=1", "--noise=poissongauss30+5"],
    "n2v_tf": ["--crop_size=32", "--width=4", "--manipulator=median", "--noise=gauss5_50"],
}


def arrays(run_dir):
    """Every array of the final weights and of the final state."""
    found = dict(np.load(run_dir / "checkpoint" / "state.npz"))
    with h5py.File(run_dir / "weights.weights.h5") as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


@pytest.mark.slow
@pytest.mark.parametrize("package", METHODS)
def test_kill_and_resume_is_bit_identical(tmp_path, run_command, package):
    flags = FLAGS + METHODS[package]
    whole = run_command(f"{package}.train", f"--run_dir={tmp_path}/whole", *flags)
    assert whole.returncode == 0, whole.stderr
    state = tmp_path / "cut" / "checkpoint" / "state.npz"
    process = subprocess.Popen(
        [sys.executable, "-m", f"{package}.train", f"--run_dir={tmp_path}/cut", *flags],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # SSDN: where its crops have just grown.
    least, deadline = 12 if package == "ssdn_tf" else 1, time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if state.exists() and int(np.load(state)["step"]) >= least:
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < int(np.load(state)["step"]) < 14  # killed in the middle
    resumed = run_command(f"{package}.train", f"--run_dir={tmp_path}/cut", "--resume", *flags)
    assert resumed.returncode == 0, resumed.stderr
    assert "Resuming after image" in resumed.stdout
    a, b = arrays(tmp_path / "whole"), arrays(tmp_path / "cut")
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    logs = [(tmp_path / name / "log.csv").read_text() for name in ("whole", "cut")]
    assert logs[0].splitlines()[-1] == logs[1].splitlines()[-1]


def test_a_finished_run_gets_its_weights_back_from_its_state(tmp_path, run_command):
    """As when the process died after the state, while something else was being written."""
    flags = [f"--run_dir={tmp_path}", "--num_images=2", "--crop_size=32", "--batch_size=2"]
    assert run_command("ssdn_tf.train", *flags).returncode == 0
    weights = tmp_path / "weights.weights.h5"
    before = arrays(tmp_path)
    weights.write_bytes(b"")
    done = run_command("ssdn_tf.train", *flags, "--resume")
    assert done.returncode == 0, done.stderr
    assert "finished already" in done.stdout
    for name, value in arrays(tmp_path).items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("schedule", ["paper", "fast"])
def test_what_restores_images_is_the_average_of_the_fast_schedule(tmp_path, run_command, schedule):
    # In very few steps the average forgets all but the last one, and may equal the weights.
    flags = [f"--run_dir={tmp_path}", "--num_images=50", "--crop_size=32", "--batch_size=1"]
    assert run_command("n2n_tf.train", *flags, f"--schedule={schedule}").returncode == 0
    state = np.load(tmp_path / "checkpoint" / "state.npz")
    with h5py.File(tmp_path / "weights.weights.h5") as file:
        stored = file["layers/functional/layers/conv2d/vars/0"][()]
    same = [name for name in state.files if np.array_equal(state[name], stored)]
    assert [name.split("/")[0] for name in same] == [
        {"paper": "model", "fast": "optimizer"}[schedule]
    ]


@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_weights_that_are_kept(tmp_path, keep):
    """Validated after images 4, 8, 12; the second time best."""
    config = configs.Config(num_images=12, batch_size=1, crop_size=32, width=4, keep=keep)
    config = config.completed()
    scores, seen = iter((20.0, 25.0, 22.0)), []

    def validate(model):
        seen.append(model.get_weights())
        return {"psnr": next(scores)}, Image.new("RGB", (8, 8))

    model = method.METHOD.build(config)
    images = method.METHOD.training_images(config)
    runs.save_config(tmp_path, "rdunet_tf", config)
    loop.fit(
        model,
        method.METHOD.optimizer(config),
        lambda start: method.METHOD.batches(images, config, start),
        config,
        tmp_path,
        validate=validate,
        every=(2, 4),
    )
    kept = method.METHOD.load(tmp_path).get_weights()
    expected = seen[{"last": 2, "best": 1}[keep]]
    assert all(np.array_equal(a, b) for a, b in zip(kept, expected, strict=True))


def test_the_best_weights_do_not_depend_on_how_a_training_is_resumed(tmp_path, run_command):
    """Which are best depends on when they are looked at: as the training began."""
    flags = ["--keep=best", "--crop_size=32", "--width=4", "--precision=float32"]
    flags += ["--num_images=8", "--batch_size=1", f"--run_dir={tmp_path}/run"]
    often = ["--eval_every=2", "--checkpoint_every=2"]
    done = run_command("rdunet_tf.train", *flags, *often)
    assert done.returncode == 0, done.stderr
    stored = np.load(tmp_path / "run" / "checkpoint" / "state.npz")
    assert stored["keeping/eval_every"] == stored["keeping/checkpoint_every"] == 2
    log = (tmp_path / "run" / "log.csv").read_text()
    assert float(stored["keeping/score"]) == max(
        float(row["val_psnr"]) for row in csv.DictReader(log.splitlines())
    )
    runs.load_keeping(tmp_path / "run", ["score"])
    again = run_command("rdunet_tf.train", *flags, "--resume")
    assert again.returncode == 0 and "finished already" in again.stdout


def test_the_log_drops_what_lies_ahead_of_a_resumed_run(tmp_path):
    log = loop.Log(tmp_path / "log.csv", 0)
    for images in (4, 8, 12):
        log.append({"images": images, "loss": 1 / images})
    log.append({"images": 16, "loss": 0.1, "val_psnr": 20.0})
    resumed = loop.Log(tmp_path / "log.csv", 8)
    assert [row["images"] for row in resumed.rows] == ["4", "8"]
    assert loop.Log(tmp_path / "log.csv", 0).rows == []
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == "images,loss,val_psnr"


@pytest.mark.parametrize(
    "damaged", [b"imaXges,loss\n4,0.1\n", b"images,loss\n4,o.1\n", b"\xff\xfe"]
)
def test_a_damaged_log_stops_no_training(tmp_path, damaged, capsys):
    (tmp_path / "log.csv").write_bytes(damaged)
    log = loop.Log(tmp_path / "log.csv", 8)
    assert log.rows == []
    assert "log.csv: damaged" in capsys.readouterr().out
    log.append({"images": 8, "loss": 0.1})
    assert (tmp_path / "log.csv").read_text() == "images,loss\n8,0.1\n"


@pytest.mark.parametrize(
    ("row", "doubted"),
    [
        ({"loss": 0.2, "val_loss": 0.25}, False),
        ({"loss": 0.2, "val_loss": 0.5}, True),
        ({"loss": -3.0, "val_loss": -1.0}, False),  # a likelihood has no such scale
        ({"loss": 0.2, "val_psnr": 20.0}, False),
    ],
)
def test_a_model_that_fails_on_other_crops_is_doubted(row, doubted):
    said = loop.doubt_of(row)
    assert ("far above that of the training, 0.2" in said) == doubted == bool(said)


def test_a_model_that_changes_more_than_noise_is_doubted():
    doubted = loop.doubt_of({"loss": 0.2, "val_change": 45.0, "val_explained": 30.0})
    assert "changes the images by 45, more than the 30 that their noise explains" in doubted
    assert not loop.doubt_of({"loss": 0.2, "val_change": 29.0, "val_explained": 30.0})
