"""The commands of deblurring as a user runs them."""

import re

import numpy as np
import pytest

from common.files import image_files
from tests.conftest import TINY

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_command):
    run_dir = tmp_path_factory.mktemp("deblur") / "run"
    done = run_command("deblur.train", f"--run_dir={run_dir}", *TINY)
    assert done.returncode == 0, done.stderr
    assert (run_dir / "samples" / "000000004.png").is_file()
    return run_dir


def test_evaluate_beside_classical_methods(run, tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (33, 40, 1), np.uint8))
    np.save(tmp_path / "kernel.npy", np.ones((3, 3)))
    flags = [f"--run_dir={run}", f"--dataset={tmp_path}/set", "--noise=gauss2"]
    for blur in ("motion5", f"{tmp_path}/kernel.npy"):
        output = f"--output={tmp_path}/pictures"
        arguments = [*flags, f"--blur={blur}", "--baselines=all", output]
        done = run_command("deblur.evaluate", *arguments)
        assert done.returncode == 0, done.stderr
        found = re.findall(r"noise=gauss2 .*psnr=([\d.]+) .*method=(\w+)", done.stdout)
        scores = {name: float(psnr) for psnr, name in found}
        assert len(scores) == 4
        assert scores["wiener"] > scores["blurred"]
        assert "method" not in done.stdout.splitlines()[-1]
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"a-blurred.png", "a-denoised.png", "contact_sheet.png", "scores.csv"}


@pytest.mark.parametrize(
    ("blur", "message"),
    [
        ("box3", "blur='box3': expected one of lognormal"),
        ("even.npy", "even.npy: a kernel of 4x4: expected two odd sides"),
        ("zero.npy", "zero.npy: a kernel whose values sum to 0"),
        ("nan.npy", "nan.npy: 9 NaN or infinite values"),
        ("large.npy", "a: a kernel of 51x51 is larger than the image of 33x40"),
        ("motion99", "is larger than the image of 33x40"),
        ("missing.npy", "missing.npy: no such file"),
    ],
)
def test_kernels_that_evaluate_refuses(run, tmp_path, run_command, blur, message):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (33, 40, 1), np.uint8))
    np.save(tmp_path / "even.npy", np.ones((4, 4)))
    np.save(tmp_path / "zero.npy", np.array([[1.0, 0.0, -1.0]]))
    np.save(tmp_path / "nan.npy", np.full((3, 3), np.nan))
    np.save(tmp_path / "large.npy", np.ones((51, 51)))
    blur = f"{tmp_path}/{blur}" if blur.endswith("npy") else blur
    done = run_command(
        "deblur.evaluate", f"--run_dir={run}", f"--dataset={tmp_path}/set", f"--blur={blur}"
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message in done.stderr


def test_restore_and_export(run, tmp_path, run_command):
    picture = RNG.integers(0, 65535, (33, 40, 1), np.uint16)
    image_files.write(tmp_path / "in" / "a.tif", picture)
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    flags = [f"--run_dir={run}", f"--input={tmp_path}/in", f"--output={tmp_path}/out"]
    done = run_command("deblur.restore", *flags)
    assert done.returncode == 1
    assert "b.png: not readable as an image" in done.stdout
    restored = image_files.read_one(tmp_path / "out" / "a.tif")
    assert restored.dtype == np.uint16 and restored.shape == picture.shape
    done = run_command("deblur.export", f"--run_dir={run}", f"--output={tmp_path}/model")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()


def test_files_of_ones_own_have_no_known_kernel(run, tmp_path, run_command):
    image_files.write(tmp_path / "a" / "a.png", RNG.integers(0, 255, (33, 40, 1), np.uint8))
    flags = [f"--run_dir={run}", f"--dataset={tmp_path}/a", f"--reference={tmp_path}/a"]
    done = run_command("deblur.evaluate", *flags)
    assert done.returncode == 0, done.stderr
    for flag, message in (
        ("--baselines=all", "the blur kernel of your own files is not known"),
        ("--blur=disc2", "already"),
    ):
        done = run_command("deblur.evaluate", *flags, flag)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert message in done.stderr


def test_resume_keeps_settings(run, tmp_path, run_command):
    done = run_command("deblur.train", f"--run_dir={run}", *TINY, "--resume")
    assert "finished already" in done.stdout
    other = run_command("deblur.train", f"--run_dir={run}", "--formulation=log", "--resume")
    assert other.returncode == 1
    assert "was started with formulation='convolve', not 'log'" in other.stderr


def test_train_refuses_in_one_line(tmp_path, run_command):
    for flags, message in (
        (["--formulation=divide"], "formulation='divide': expected log"),
        (["--blur=motion9", "--formulation=log_nodc"], "at some frequencies it is minus infinity"),
        (["--kernel_size=4"], "kernel_size=4: expected an odd number"),
        (["--validation_blur=missing.npy"], "missing.npy: no such file"),
        (["--blur=motion99", "--crop_size=32"], "larger than the crop of 32"),
        (["--config=convolv"], "did you mean convolve"),
    ):
        done = run_command("deblur.train", f"--run_dir={tmp_path}/run", *flags)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert message in done.stderr
        assert not (tmp_path / "run").exists()
