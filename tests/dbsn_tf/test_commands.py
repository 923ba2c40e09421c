"""The commands of D-BSN on files: stages that go on, scores, files, uncertainty."""

import h5py
import numpy as np
import pytest

from common.files import image_files
from common.training import runs
from dbsn_tf.method import METHOD
from tests.conftest import TINY

RNG = np.random.default_rng(0)


def _weights(run_dir):
    found = {}
    with h5py.File(run_dir / "weights.weights.h5") as file:
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


@pytest.mark.slow
def test_stages_go_on_to_the_bit_and_the_model_restores_files(tmp_path, run_command):
    settings = ["--width=4", "--blocks=1", *TINY]
    whole = run_command("dbsn_tf.train", f"--run_dir={tmp_path}/whole", *settings)
    assert whole.returncode == 0, whole.stderr
    parts = f"--run_dir={tmp_path}/parts"
    done = run_command("dbsn_tf.train", parts, "--stage=mu", *settings)
    assert done.returncode == 0, done.stderr
    assert runs.is_finished(tmp_path / "parts")
    mean = METHOD.load(tmp_path / "parts")
    assert mean.stage == "mu" and not mean.predicts_std
    again = run_command("dbsn_tf.train", parts, "--stage=mu", "--resume")
    assert "finished already" in again.stdout, again.stderr
    for stage in ("sigma", "all"):
        done = run_command("dbsn_tf.train", parts, f"--stage={stage}", "--resume")
        assert done.returncode == 0, done.stderr
    earlier = run_command("dbsn_tf.train", parts, "--stage=mu", "--resume")
    assert earlier.returncode == 1 and "beyond what these settings ask for" in earlier.stderr
    expected, found = _weights(tmp_path / "whole"), _weights(tmp_path / "parts")
    assert expected.keys() == found.keys()
    assert all(np.array_equal(expected[name], found[name]) for name in expected)

    picture = RNG.integers(0, 255, (33, 41, 1), np.uint8)
    image_files.write(tmp_path / "in" / "a.png", picture)
    run = f"--run_dir={tmp_path}/whole"
    done = run_command("dbsn_tf.evaluate", run, f"--dataset={tmp_path}/in")
    assert done.returncode == 0, done.stderr
    assert "variance=white noise=gauss25 images=1 psnr=" in done.stdout.splitlines()[-1]
    flags = [run, f"--input={tmp_path}/in", f"--output={tmp_path}/out", "--std"]
    done = run_command("dbsn_tf.denoise", *flags)
    assert done.returncode == 0, done.stderr
    assert image_files.read_one(tmp_path / "out" / "a.png").shape == picture.shape
    assert (tmp_path / "out" / "a-std.tif").is_file()
