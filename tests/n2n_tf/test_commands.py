"""The commands of Noise2Noise as a user runs them: real pairs, lost pixels, what is refused."""

import re
import shutil

import numpy as np
import pytest

from common.files import image_files
from common.noise import text
from tests.conftest import TINY

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_command):
    run_dir = tmp_path_factory.mktemp("n2n") / "run"
    done = run_command("n2n_tf.train", f"--run_dir={run_dir}", *TINY)
    assert done.returncode == 0, done.stderr
    return run_dir


def test_evaluate_takes_the_validation_noise_and_any_other(run, tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (33, 40, 3), np.uint8))
    flags = [f"--run_dir={run}", f"--dataset={tmp_path}/set"]
    done = run_command("n2n_tf.evaluate", *flags, "--baselines=noisy")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert re.match(r"RESULT .* noise=gauss25 images=1 psnr=2\d\.\d+ .* method=noisy", lines[-2])
    assert "method" not in lines[-1]
    for noise in ("bernoulli50", "text25", "impulse50"):
        done = run_command("n2n_tf.evaluate", *flags, f"--noise={noise}", "--baselines=median")
        assert done.returncode == 0, done.stderr
        assert f"noise={noise} images=1" in done.stdout
    other = run_command("n2n_tf.evaluate", *flags, "--noise=spectrum5")
    assert other.returncode == 1
    assert "noise='spectrum5': expected gauss, poisson" in other.stderr


def test_denoise_and_export(run, tmp_path, run_command):
    picture = RNG.integers(0, 65535, (33, 40, 3), np.uint16)
    image_files.write(tmp_path / "in" / "a.tif", picture)
    flags = [f"--run_dir={run}", f"--input={tmp_path}/in", f"--output={tmp_path}/out"]
    done = run_command("n2n_tf.denoise", *flags)
    assert done.returncode == 0, done.stderr
    restored = image_files.read_one(tmp_path / "out" / "a.tif")
    assert restored.dtype == np.uint16 and restored.shape == picture.shape
    std = run_command("n2n_tf.denoise", *flags, "--std")
    assert std.returncode == 1
    assert "std: this model does not predict it" in std.stderr
    done = run_command("n2n_tf.export", f"--run_dir={run}", f"--output={tmp_path}/model")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()
    wrong = run_command("ssdn_tf.denoise", *flags)
    assert "a run of n2n_tf, not of ssdn_tf; use n2n_tf's commands" in wrong.stderr


def test_training_on_real_pairs(tmp_path, run_command):
    clean = RNG.integers(50, 200, (48, 48, 1))
    for i in range(3):
        stack = np.stack([clean + RNG.normal(0, 20, clean.shape) for _ in range(3)])
        image_files.write(tmp_path / "in" / f"{i}.tif", np.clip(stack, 0, 255).astype(np.uint8))
    image_files.write(tmp_path / "in" / "lone.tif", clean.astype(np.uint8))
    flags = [f"--pairs={tmp_path}/in", "--channels=1", f"--run_dir={tmp_path}/run", *TINY]
    done = run_command("n2n_tf.train", *flags)
    assert done.returncode == 0, done.stderr
    assert "lone.tif: a lone acquisition; a scene needs two or more" in done.stderr
    assert "Training on 3 images" in done.stdout
    assert (tmp_path / "run" / "samples" / "000000004.png").is_file()
    assert "psnr" not in (tmp_path / "run" / "log.csv").read_text()
    again = run_command("n2n_tf.train", *flags, "--resume")
    assert "finished already" in again.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--noise=none"], "Noise2Noise then needs --pairs=FOLDER"),
        (["--pairs=/nonexistent"], "/nonexistent: no such folder"),
        (["--pairs=EMPTY"], "no images in this folder"),
        (["--pairs=EMPTY", "--noise=gauss25"], "the pairs are noisy already"),
        (["--network=resnet"], "network='resnet': expected unet, nn_relu"),
        (["--config=gaussian-n2"], "did you mean gaussian-n2n"),
        (["--train_set=EMPTY/none.tfrecords"], "none.tfrecords: no such file"),
    ],
)
def test_train_refuses_in_one_line_and_makes_no_run(tmp_path, run_command, flags, message):
    flags = [flag.replace("EMPTY", str(tmp_path)) for flag in flags]
    done = run_command("n2n_tf.train", f"--run_dir={tmp_path}/run", *flags)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert len([x for x in done.stderr.splitlines() if x.startswith("error: ")]) == 1
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flag", ["--noise=text25", "--validation_noise=text25"])
def test_text_without_fonts_is_refused(tmp_path, run_command, flag):
    done = run_command(
        "n2n_tf.train", f"--run_dir={tmp_path}/run", flag, env={"N2X_FONTS": str(tmp_path)}
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "no fonts with letters in" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_on_text_minds_the_fonts(tmp_path, run_command):
    flags = [f"--run_dir={tmp_path}/run", "--noise=text25", *TINY]
    assert run_command("n2n_tf.train", *flags).returncode == 0
    (tmp_path / "fonts").mkdir()
    shutil.copy(text.font_paths()[0], tmp_path / "fonts")
    env = {"N2X_FONTS": str(tmp_path / "fonts")}
    other = run_command("n2n_tf.train", *flags, "--resume", env=env)
    assert other.returncode == 1
    assert "was trained on other images of sample" in other.stderr


def test_help_tells_what_follows_from_the_noise(run_command):
    done = run_command("n2n_tf.train", "--help")
    assert done.returncode == 0
    for words in ("[gauss0_50]", "[0.0003]", "--pairs", "python -m n2n_tf.train"):
        assert words in done.stdout
