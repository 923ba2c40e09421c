"""The four commands as a user runs them: what they print, write and refuse."""

import csv
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from common.files import image_files
from common.training import runs
from ssdn_tf import configs, denoiser
from tests.conftest import ROOT, TINY

RNG = np.random.default_rng(0)
RESULT = re.compile(
    r"RESULT dataset=(\S+) noise=(\S+) images=(\d+) psnr=(-?\d+\.\d+) ssim=(-?\d\.\d+)"
    r"(?: method=(\w+))?"
)


def picture(channels=3, dtype=np.uint8, size=(33, 45)):
    top = np.iinfo(dtype).max
    return RNG.integers(0, top, (*size, channels), dtype, endpoint=True)


def assert_refused(done, message, code=1):
    """One clear line, no traceback, the exit code."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    assert re.search(message, lines[0]), lines[0]


def test_train_leaves_a_complete_run_folder(tiny_run):
    names = {path.name for path in tiny_run.iterdir()}
    assert {"config.json", "weights.weights.h5", "checkpoint", "log.csv", "samples"} <= names
    assert {"curves.png", "train"} <= names
    with open(tiny_run / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["images"]) for row in rows] == [2, 4]
    assert all(float(row["loss"]) == float(row["loss"]) for row in rows)
    assert image_files.read_one(tiny_run / "samples" / "000000004.png").shape[-1] == 3
    assert not list(tiny_run.rglob("*.part*"))


def test_train_resumes_says_finished_and_protects_a_run(tiny_run, run_command):
    finished = run_command("ssdn_tf.train", f"--run_dir={tiny_run}", "--resume")
    assert finished.returncode == 0
    assert "finished already" in finished.stdout
    again = run_command("ssdn_tf.train", f"--run_dir={tiny_run}", *TINY)
    assert_refused(again, "has a run already; --resume continues it")
    fewer = run_command("ssdn_tf.train", f"--run_dir={tiny_run}", "--resume", "--max_images=2")
    assert_refused(fewer, "was trained on other images of sample")
    other = run_command("ssdn_tf.train", f"--run_dir={tiny_run}", "--resume", "--noise=gauss50")
    assert_refused(other, "was started with noise='gauss25', not 'gauss50'")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--noise=gaus25"], "noise='gaus25': expected gauss, poisson"),
        (["--config=gauss25-blindspot"], "config='gauss25-blindspot' is not known; did you mean"),
        (["--crop_size=4096"], "crop_size=4096: crops of 4096x4096 are larger than every"),
        (["--train_set=/nonexistent"], "/nonexistent: no such file or folder"),
        (["--train_set=EMPTY"], "no images in this folder"),
        (["--train_set=kodak", "--data_dir=EMPTY"], "kodak: no folder"),
        (["--noise=none", "--noise_params=known"], "level of real noise is not known"),
        (["--nois=gauss25"], "nois"),
        (["--batch_size=many"], "batch_size"),
        (["gauss25"], "Unexpected 'gauss25'"),
        (["--checkpoint_every=0"], "checkpoint_every"),
        (["--learning_rate=nan"], "learning_rate=nan: expected a finite number"),
        (["--seed=-1"], "seed=-1: expected 0 to"),
    ],
)
def test_train_refuses_in_one_line_and_makes_no_run(tmp_path, run_command, flags, message):
    flags = [flag.replace("EMPTY", str(tmp_path)) for flag in flags]
    done = run_command("ssdn_tf.train", f"--run_dir={tmp_path}/run", *flags)
    assert_refused(done, message)
    assert not (tmp_path / "run").exists()


def test_train_on_a_place_that_cannot_be_written(tmp_path, run_command):
    (tmp_path / "file").write_text("")
    done = run_command("ssdn_tf.train", f"--run_dir={tmp_path}/file/run", *TINY)
    assert_refused(done, "file")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_says_how_to_go_on(tmp_path, sent, code):
    process = subprocess.Popen(
        [sys.executable, "-m", "ssdn_tf.train", f"--run_dir={tmp_path}/run", "--crop_size=32"]
        + ["--num_images=100000", "--batch_size=1", "--checkpoint_every=5"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs, and so the tests in one, are deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "log.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(sent)
    try:
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, stderr
    assert re.search(r"checkpoint after image \d*[05] is complete: go on with --resume", stdout)
    assert "Traceback" not in stderr


def test_training_on_really_noisy_files(tmp_path, run_command):
    for i in range(3):
        noisy = np.clip(128 + 20 * RNG.standard_normal((48, 48, 1)), 0, 255).astype(np.uint8)
        image_files.write(tmp_path / "noisy" / f"{i}.png", noisy)
    image_files.write(tmp_path / "noisy" / "0-colour.png", picture(size=(48, 48)))
    flags = ["--noise=none", "--noise_params=global", "--channels=1", *TINY]
    folder = f"{tmp_path}/noisy"
    looked = run_command("ssdn_tf.train", f"--train_set={folder}", *flags, "--check_only")
    assert looked.returncode == 0, looked.stderr
    assert "Data: 3 images of 48x48 pixels, 1 channel, uint8." in looked.stdout
    done = run_command(
        "ssdn_tf.train",
        f"--run_dir={tmp_path}/run",
        f"--train_set={folder}",
        *flags,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 4 images do not have 1 channel and are left out: 0-colour." in done.stderr
    assert "psnr" not in (tmp_path / "run" / "log.csv").read_text()
    assert (tmp_path / "run" / "samples" / "000000004.png").is_file()
    done = run_command("ssdn_tf.evaluate", f"--run_dir={tmp_path}/run")
    assert_refused(done, "nothing to compare with")


def test_evaluate_prints_results_and_writes_pictures(tiny_run, tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", picture(size=(64, 48)))
    image_files.write(tmp_path / "set" / "b.png", picture(size=(40, 41)))
    done = run_command(
        "ssdn_tf.evaluate",
        f"--run_dir={tiny_run}",
        f"--dataset={tmp_path}/set",
        "--repeats=2",
        "--baselines=mean,median,non_local_means",
        f"--output={tmp_path}/out",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    found = [RESULT.fullmatch(line) for line in lines if line.startswith("RESULT")]
    assert all(found)
    assert [match[6] for match in found] == ["mean", "median", "non_local_means", None]
    assert all(match[3] == "4" for match in found)
    assert RESULT.fullmatch(lines[-1])
    names = {path.name for path in (tmp_path / "out").iterdir()}
    expected = {f"{x}-{y}" for x in "ab" for y in ("noisy.png", "denoised.png", "std.tif")}
    assert names == expected | {"contact_sheet.png", "scores.csv"}
    with open(tmp_path / "out" / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["picture"], r["method"]) for r in rows[:4]] == [(p, "mean") for p in "abab"]
    assert len(rows) == 16 and rows[-1]["method"] == "ssdn"
    of_model = [float(row["psnr"]) for row in rows if row["method"] == "ssdn"]
    assert float(RESULT.fullmatch(lines[-1])[4]) == pytest.approx(np.mean(of_model), abs=1e-3)
    assert float(rows[-1]["seconds"]) > 0
    assert image_files.read_one(tmp_path / "out" / "b-denoised.png").shape == (40, 41, 3)


def test_denoise_keeps_names_depth_size_and_skips_what_is_bad(tiny_run, tmp_path, run_command):
    folder, out = tmp_path / "in", tmp_path / "out"
    files = {
        "a.png": picture(),
        "b.jpg": picture(),
        "c.tif": picture(dtype=np.uint16),
        "d.tif": np.stack([picture(), picture()]),
        "e.npy": RNG.random((20, 21, 3), np.float32),
        "alpha.png": picture(4),
    }
    for name, array in files.items():
        image_files.write(folder / name, array)
    image_files.write(folder / "grey.png", picture(1))
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:500])
    done = run_command(
        "ssdn_tf.denoise", f"--run_dir={tiny_run}", f"--input={folder}", f"--output={out}", "--std"
    )
    assert_refused(done, "2 of 8 files could not be restored")
    assert re.search(r"cut.png: not readable.*Skipped", done.stdout)
    assert re.search(r"grey.png: 1 channels, this model is for 3; .* Skipped", done.stdout)
    assert len(re.findall(r"estimated sigma: \d+\.\d+", done.stdout)) == 6
    for name in files:
        restored = image_files.read(out / name)
        original = image_files.read(folder / name)
        assert restored.shape == original.shape
        assert restored.dtype == original.dtype
        std = image_files.read(out / f"{name.split('.')[0]}-std.tif")
        assert std.dtype == np.float32
        assert std.shape == original[..., :3].shape
        assert (std > 0).all()
        if name == "alpha.png":
            np.testing.assert_array_equal(restored[..., 3], original[..., 3])
    assert {p.name for p in out.iterdir()} >= set(files)


def test_deviations_of_files_of_one_stem_keep_the_suffix(tiny_run, tmp_path, run_command):
    for name in ("a.png", "a.tif", "b.png"):
        image_files.write(tmp_path / "in" / name, picture())
    flags = [f"--run_dir={tiny_run}", f"--input={tmp_path}/in", f"--output={tmp_path}/out"]
    done = run_command("ssdn_tf.denoise", *flags, "--std")
    assert done.returncode == 0, done.stderr
    stds = {path.name for path in (tmp_path / "out").glob("*-std.tif")}
    assert stds == {"a.png-std.tif", "a.tif-std.tif", "b-std.tif"}


def test_denoise_refuses_to_overwrite_its_input(tiny_run, tmp_path, run_command):
    image_files.write(tmp_path / "a.png", picture())
    before = (tmp_path / "a.png").read_bytes()
    done = run_command(
        "ssdn_tf.denoise", f"--run_dir={tiny_run}", f"--input={tmp_path}", f"--output={tmp_path}"
    )
    assert_refused(done, "an input, which would be lost")
    assert (tmp_path / "a.png").read_bytes() == before


def test_denoise_refuses_to_write_one_file_over_another(tiny_run, tmp_path, run_command):
    for name in ("a.png", "a-std.tif"):
        image_files.write(tmp_path / "in" / name, picture())
    flags = [f"--run_dir={tiny_run}", f"--output={tmp_path}/out"]
    # Named one by one; of a folder the second would be taken for a result of the first.
    flags += [f"--input={tmp_path}/in/{name}" for name in ("a.png", "a-std.tif")]
    assert_refused(run_command("ssdn_tf.denoise", *flags, "--std"), "a-std.tif: would be written 2")
    level = run_command("ssdn_tf.denoise", *flags, "--noise_level=25")
    assert_refused(level, "noise_level: this model does not take it")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("module", ["evaluate", "denoise", "export"])
def test_the_other_commands_need_a_run(tmp_path, run_command, module):
    flags = {"evaluate": [], "denoise": ["--input=x", "--output=y"], "export": ["--output=y"]}[
        module
    ]
    missing = run_command(f"ssdn_tf.{module}", f"--run_dir={tmp_path}", *flags)
    assert_refused(missing, "no config.json there")


def test_help_shows_flags_units_and_defaults(run_command):
    done = run_command("ssdn_tf.train", "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "tt_check_filter" not in done.stdout  # nor other flags of TensorFlow
    for words in ("--noise: Noise to add", "[gauss25]", "pixels", "python -m ssdn_tf.train"):
        assert words in done.stdout


@pytest.mark.slow
def test_the_saved_model_gives_the_same_pixels_without_this_project(
    tiny_run, tmp_path, run_command
):
    image_files.write(tmp_path / "in" / "a.tif", RNG.random((333, 517, 3), np.float32))
    done = run_command("ssdn_tf.export", f"--run_dir={tiny_run}", f"--output={tmp_path}/model")
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/model/1" in done.stdout
    again = run_command("ssdn_tf.export", f"--run_dir={tiny_run}", f"--output={tmp_path}/model")
    assert f"{tmp_path}/model/2" in again.stdout
    folder = f"{tmp_path}/in"
    done = run_command(
        "ssdn_tf.denoise",
        f"--run_dir={tiny_run}",
        f"--input={folder}",
        f"--output={tmp_path}/out",
        "--precision=float32",
    )
    assert done.returncode == 0, done.stderr
    program = f"""
import sys
import numpy as np, tensorflow as tf
model = tf.saved_model.load({str(tmp_path / "model" / "1")!r})
serve = model.signatures["serving_default"]
image = np.load({str(tmp_path / "image.npy")!r})
result = serve(noisy=tf.constant(image[None]))
assert set(result) == {{"denoised", "mean", "std", "mean_std", "noise_std"}}, set(result)
np.save({str(tmp_path / "served.npy")!r}, result["denoised"][0])
for size in (1, 33):
    assert serve(noisy=tf.zeros((2, size, 1, 3)))["denoised"].shape == (2, size, 1, 3)
eight = model.signatures["denoise_uint8"](noisy=tf.constant(image[None, :40, :50] * 255, tf.uint8))
assert eight["denoised"].dtype == tf.uint8
assert "common" not in sys.modules
"""
    np.save(tmp_path / "image.npy", image_files.read_one(tmp_path / "in" / "a.tif"))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    denoised = image_files.read_one(tmp_path / "out" / "a.tif")
    # Two graphs of the same model add in another order. Where the covariance of a pixel is nearly
    # singular, Bayes' rule makes more of that.
    difference = np.abs(np.load(tmp_path / "served.npy") - denoised)
    assert np.quantile(difference, 0.999) < 2e-5
    assert difference.max() < 1e-3


def test_a_model_of_known_noise_minds_which_noise_it_is(tmp_path, run_command):
    config = configs.Config(noise="gauss5_50", channels=1, num_images=4)
    model = denoiser.Denoiser(config)
    runs.save_config(tmp_path / "run", "ssdn_tf", config)
    runs.save_weights(tmp_path / "run", model)
    image_files.write(tmp_path / "in" / "a.png", picture(1))
    run = f"--run_dir={tmp_path}/run"
    other = run_command("ssdn_tf.evaluate", run, "--noise=poisson30")
    assert_refused(other, "this model is for known gauss noise, as gauss5_50")
    flags = [run, f"--input={tmp_path}/in", f"--output={tmp_path}/out"]
    assert_refused(run_command("ssdn_tf.denoise", *flags, "--noise_level=nan"), "noise_level=nan")
    done = run_command("ssdn_tf.denoise", *flags, "--noise_level=25")
    assert done.returncode == 0, done.stderr
    assert "estimated" not in done.stdout
    found = run_command("ssdn_tf.denoise", *flags)
    assert found.returncode == 0, found.stderr
    line = r"a.png  noise level found: [\d.]+ \(sigma in 8-bit units\)"
    assert re.search(line, found.stdout), found.stdout
    scored = run_command(
        "ssdn_tf.evaluate", run, "--find_level", "--max_images=1", "--noise=gauss20"
    )
    assert scored.returncode == 0, scored.stderr
    assert "Noise levels found: " in scored.stdout and "images=1 psnr=" in scored.stdout


def test_scoring_as_the_original_with_clean_surroundings(tiny_run, tmp_path, run_command):
    flags = [
        f"--run_dir={tiny_run}",
        "--max_images=1",
        f"--dataset={tmp_path}/in",
        "--noise=gauss25",
    ]
    clean = picture(size=(33, 45))
    image_files.write(tmp_path / "in" / "a.png", clean)
    settings = ["--pad_clean", f"--output={tmp_path}/out", "--baselines=noisy"]
    beyond, here = (run_command("ssdn_tf.evaluate", *flags, *more) for more in (settings, []))
    assert beyond.returncode == here.returncode == 0, beyond.stderr + here.stderr
    noisy, restored = re.findall("RESULT .* pad_clean=true .*psnr=([0-9.]+) ", beyond.stdout)
    assert float(noisy) == pytest.approx(20.2, abs=1)
    assert restored != RESULT.findall(here.stdout)[0][3]
    refused = run_command("ssdn_tf.evaluate", *flags, "--pad_clean", f"--reference={tmp_path}/in")
    assert_refused(refused, "pad_clean: noisy files have no clean surroundings")
    for path in tmp_path.glob("out/a-*"):
        assert image_files.read_one(path).shape == clean.shape, path


def test_a_file_of_other_noise_is_warned_of_or_left_out(tiny_run, tmp_path, run_command):
    """The model is for a sigma of 25; the file has one of 4."""
    noisy = np.clip(128 + 4 * RNG.standard_normal((64, 64, 3)), 0, 255).astype(np.uint8)
    image_files.write(tmp_path / "a.png", noisy)
    flags = [f"--run_dir={tiny_run}", f"{tmp_path}/a.png", f"--output={tmp_path}/out"]
    done = run_command("ssdn_tf.denoise", *flags)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"Careful: .*a.png: its noise has a sigma of about [34]\S* of 255", done.stdout
    )
    strict = run_command("ssdn_tf.denoise", *flags[:2], f"--output={tmp_path}/no", "--strict")
    assert_refused(strict, "1 of 1 files could not be restored")
    assert not (tmp_path / "no").exists()
