"""The command noise2x and the import noise2x: what they do without a flag, and what they say."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import noise2x
from common.files import image_files
from noise2x import cli, methods
from tests.conftest import ROOT, TINY

RNG = np.random.default_rng(0)
TRAIN = ("--noise=gauss25", *TINY)


def noise2x_command(run_command, cwd, *arguments):
    return run_command("noise2x", *arguments, cwd=cwd)


def assert_one_line(done, message):
    assert done.returncode in (1, 2), done.stdout
    assert "Traceback" not in done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_alone_it_prints_a_screenful(tmp_path, run_command):
    done = noise2x_command(run_command, tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    for word in (*cli.METHOD_VERBS, *cli.PROGRAMS, *cli.LISTS, "ssdn", "n2n-mri"):
        assert word in done.stdout


def test_bash_completes_verbs_methods_and_flags(tmp_path, run_command):
    script = noise2x_command(run_command, tmp_path, "completion").stdout
    script += f"""
noise2x() {{ {sys.executable} -m noise2x "$@"; }}
for words in "noise2x tr" "noise2x train n2" "noise2x train ssdn --noise_"; do
    COMP_WORDS=($words); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _noise2x; echo "${{COMPREPLY[@]}}"
done
"""
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "train",
        "n2n n2v n2n-mri",
        "--noise_params --noise_rate --noise_start",
    ]


@pytest.mark.parametrize("arguments", [["list"], ["train", "--help"], ["--version"]])
def test_list_and_help_name_every_method(arguments, tmp_path, run_command):
    done = noise2x_command(run_command, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    if arguments != ["--version"]:
        for name in methods.NAMES:
            assert methods.find(name).summary in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "'trian' is no verb of noise2x. Did you mean train?"),
        (["train", "--noise=gauss25"], "train: name a method: one of ssdn, n2n"),
        (["train", "sdn"], "name a method, not 'sdn'"),
        (["denoise", "photo.png"], "photo.png: no such file or folder"),
        (["evaluate", "n2v"], "there is no finished run of n2v_tf in runs/"),
        (["models", "foto"], "not 'foto'. Did you mean the model photo?"),
        (["denoise", "--model=superres", "a.png"], "Did you mean the model superres-x2?"),
        (["denoise", "a.png", "--output=b.png"], "output='b.png': expected a folder; files keep"),
        (["denoise", "--overwrite"], "flag 'overwrite'. --help lists the flags."),
        (["denoise", "--strenth=1"], "Did you mean: strength ? --help lists the flags."),
        (["export"], "there is no finished run in runs/"),
        (["denoise", "--run_dir=nothing", "photo.png"], "nothing: no config.json there"),
        (["list", "all"], "list: takes no arguments"),
        (["train", "--seed=1", "ssdn", "--noise=gaus"], "noise='gaus': expected gauss"),
        (["evaluate", "--seed", "1", "ssdn"], "no finished run of ssdn_tf"),
        (["pack", "zip"], "pack: expected hdf5, tfrecords, mri; got zip"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, message, tmp_path, run_command):
    assert_one_line(noise2x_command(run_command, tmp_path, *arguments), message)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, run_command):
    """A folder in which `noise2x train ssdn` ran, with the shortest training."""
    folder = tmp_path_factory.mktemp("front")
    done = noise2x_command(run_command, folder, "train", "ssdn", *TRAIN)
    assert done.returncode == 0, done.stderr
    name = "runs/00000-ssdn-gauss25-blindspot-sigma_known"
    assert done.stdout.splitlines()[0] == f"Run folder: {name}"
    return folder, folder / name


def test_a_training_begins_with_another_models_weights_and_says_where_it_cannot(
    trained, run_command, tmp_path
):
    folder, run_dir = trained
    begin = ["train", "ssdn", f"--model={run_dir}", *TRAIN]
    done = noise2x_command(run_command, tmp_path, *begin, "--noise_params=global", "--run_dir=a")
    assert done.returncode == 0, done.stderr
    assert f"weights of {run_dir}. The other 1 are new." in done.stdout
    log = (tmp_path / "a" / "log.csv").read_text()
    again = noise2x_command(run_command, tmp_path, *begin, "--run_dir=a", "--resume")
    assert "finished already" in again.stdout and "Begins with" not in again.stdout
    assert (tmp_path / "a" / "log.csv").read_text() == log
    done = noise2x_command(run_command, tmp_path, *begin, "--channels=1", "--run_dir=b")
    assert_one_line(done, "It was trained with --channels=3.")
    done = noise2x_command(run_command, tmp_path, "train", "n2n", "--model=foto", "--run_dir=b")
    assert_one_line(done, "Did you mean the model photo?")
    assert not (tmp_path / "b").exists()


def test_a_method_is_a_method_though_a_folder_has_its_name(tmp_path, run_command):
    (tmp_path / "deblur").mkdir()
    done = noise2x_command(run_command, tmp_path, "train", "deblur", "--crop_size=50")
    assert_one_line(done, "crop_size=50: expected a multiple of 32")


def test_run_folders_count_up_and_name_what_they_are(trained, run_command):
    folder, _ = trained
    done = run_command("n2n_tf.train", *TINY, "--noise=gauss25", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "runs" / "00001-n2n-gauss25-n2n" / "weights.weights.h5").is_file()
    listed = noise2x_command(run_command, folder, "list").stdout
    assert "00000-ssdn-gauss25-blindspot-sigma_known  ssdn, finished" in listed
    assert "00001-n2n-gauss25-n2n  n2n, finished" in listed


def test_a_training_that_never_began_leaves_no_folder(trained, run_command):
    folder, _ = trained
    before = sorted((folder / "runs").iterdir())
    assert_one_line(
        run_command("ssdn_tf.train", "--crop_size=4096", cwd=folder), "larger than every image"
    )
    assert sorted((folder / "runs").iterdir()) == before


def test_commands_without_a_folder_take_the_newest_finished_run(trained, run_command):
    folder, run_dir = trained
    image_files.write(folder / "photo.png", RNG.integers(0, 255, (20, 33, 3), np.uint8))
    named = f"Model: runs/{run_dir.name}, the newest finished run of ssdn_tf."
    for command, arguments in (
        ("evaluate", ["--max_images=1"]),
        ("denoise", ["photo.png"]),
        ("export", []),
    ):
        done = noise2x_command(run_command, folder, command, "ssdn", *arguments)
        assert done.returncode == 0, done.stderr
        assert named in done.stdout
    assert (folder / "photo-denoised.png").is_file()
    assert (folder / "models" / "ssdn" / "1" / "saved_model.pb").is_file()


def test_resume_without_a_folder_finds_the_unfinished_run_of_the_same_settings(
    trained, tmp_path, run_command
):
    _, finished = trained
    # As it is after a stop: a state before the end.
    run_dir = tmp_path / "runs" / "00007-ssdn-x"
    (run_dir / "checkpoint").mkdir(parents=True)
    for name in ("config.json", "weights.weights.h5"):
        (run_dir / name).write_bytes((finished / name).read_bytes())
    with np.load(finished / "checkpoint" / "state.npz") as stored:
        np.savez(run_dir / "checkpoint" / "state.npz", **dict(stored) | {"step": np.int64(1)})
    done = run_command("ssdn_tf.train", *TRAIN, "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Run folder: runs/00007-ssdn-x" in done.stdout
    assert "Resuming after image 2" in done.stdout
    again = run_command("ssdn_tf.train", *TRAIN, "--resume", cwd=tmp_path)
    assert "Run folder: runs/00007-ssdn-x" in again.stdout  # a script that restarts it may go on
    assert "finished already" in again.stdout
    other = run_command("ssdn_tf.train", *TRAIN, "--seed=5", "--resume", cwd=tmp_path)
    assert "Run folder: runs/00008-ssdn-gauss25" in other.stdout
    assert "nothing to resume" in other.stdout


@pytest.mark.parametrize("package", methods.NAMES)
@pytest.mark.parametrize("command", ["evaluate", "denoise", "export"])
def test_a_command_with_no_flag_says_what_it_needs(package, command, tmp_path, run_command):
    if command == "denoise" and package in cli.RESTORE:
        command = "restore"
    done = run_command(f"{package}.{command}", cwd=tmp_path)
    restoring = command in ("denoise", "restore")
    needs = "Name the files to restore" if restoring else f"no finished run of {package} in runs/"
    assert_one_line(done, needs)


def test_programs_under_their_old_names_run_and_name_the_new_command(tmp_path, run_command):
    done = run_command("scripts.download_data", "imagenet", env={}, cwd=tmp_path)
    assert "has moved: use `noise2x download`" in done.stderr
    assert "Traceback" not in done.stderr and "imagenet" in done.stderr


def test_python_has_two_functions(trained):
    _, run_dir = trained
    image = RNG.integers(0, 255, (20, 33, 3), np.uint8)
    model = noise2x.load(run_dir)
    result = noise2x.denoise(image, model, noise_level=25)
    assert result["denoised"].shape == image.shape and result["denoised"].dtype == np.uint8
    assert result["std"].shape == image.shape
    unit = noise2x.denoise(image.astype(np.float32) / 255, run_dir)["denoised"]
    assert unit.dtype == np.float32
    np.testing.assert_allclose(np.clip(unit * 255, 0, 255), result["denoised"], atol=0.51)
    for bad, message in (
        (image[..., :2], r"shape \(20, 33, 2\); expected 2 sides and 3 channels"),
        (np.full((8, 8, 3), np.nan, np.float32), "NaN or infinite values"),
        (np.zeros((8, 8, 3), complex), "complex128 values; expected uint8"),
        (image.astype(int), "int64 values; expected uint8, uint16 or floats"),
        (image.astype(np.float32), "values up to .*, expected about"),
    ):
        with pytest.raises(ValueError, match=message):
            noise2x.denoise(bad, model)
    with pytest.raises(ValueError, match="precision='half': expected auto, float32, bfloat16"):
        noise2x.load(run_dir, "half")
    assert json.loads((run_dir / "config.json").read_text())["config"]["noise"] == "gauss25"


@pytest.mark.parametrize("verb", [*cli.METHOD_VERBS, *cli.PROGRAMS, "list"])
def test_every_verb_has_help(verb, tmp_path, run_command):
    method = ["n2v"] if verb in cli.METHOD_VERBS else []
    done = noise2x_command(run_command, tmp_path, verb, *method, "--help")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 60


def test_help_that_is_cut_off_by_a_pager_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m ssdn_tf.train --help | head -1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_a_backend_that_is_not_installed_is_said_in_one_line(tmp_path, run_command, monkeypatch):
    if importlib.util.find_spec("torch"):
        pytest.skip("PyTorch is installed")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    done = subprocess.run(
        [sys.executable, "-m", "noise2x", "denoise", "photo.png"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert_one_line(done, "KERAS_BACKEND=torch: torch is not installed")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--calibrate", "a.tif"], True),
        (["--calibration=b.json"], True),
        (["--calibrate_each=true"], True),
        (["--calibrate=false"], False),
        (["--nocalibrate"], False),
        (["calibrate", "calibrated.tif", "--std"], False),
    ],
)
def test_which_flags_are_set(arguments, wanted):
    assert cli.is_set(arguments, "calibrate", "calibrate_each", "calibration") == wanted
