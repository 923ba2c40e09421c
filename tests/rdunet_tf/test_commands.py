"""The commands of RDUNet on files."""

import numpy as np

from common.files import image_files
from tests.conftest import TINY

RNG = np.random.default_rng(0)


def test_train_evaluate_and_denoise(tmp_path, run_command):
    run = f"--run_dir={tmp_path}/run"
    done = run_command("rdunet_tf.train", run, "--width=4", *TINY)
    assert done.returncode == 0, done.stderr
    picture = RNG.integers(0, 255, (33, 41, 3), np.uint8)
    image_files.write(tmp_path / "in" / "a.png", picture)
    done = run_command("rdunet_tf.evaluate", run, f"--dataset={tmp_path}/in", "--baselines=mean")
    assert done.returncode == 0, done.stderr
    assert "noise=gauss25 images=1 psnr=" in done.stdout.splitlines()[-1]
    flags = [run, f"--input={tmp_path}/in", f"--output={tmp_path}/out"]
    done = run_command("rdunet_tf.denoise", *flags)
    assert done.returncode == 0, done.stderr
    assert image_files.read_one(tmp_path / "out" / "a.png").shape == picture.shape
    odd = run_command("rdunet_tf.train", f"--run_dir={tmp_path}/odd", "--width=5")
    assert odd.returncode == 1
    assert "width=5: expected an even number" in odd.stderr
