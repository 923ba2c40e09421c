"""scripts.reproduce: the tables come out with every method in them, and go on where they were."""

import csv
import re

import numpy as np
import pytest

from common.data import image_sets
from common.files import image_files
from scripts.reproduce import ee559

RNG = np.random.default_rng(0)


@pytest.mark.slow
def test_psnr_over_sigma_trains_scores_draws_and_goes_on(tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (40, 48, 1), np.uint8))
    flags = ["psnr_vs_sigma", f"--output={tmp_path}/out", "--train_set=sample", "--scale=1e-6"]
    flags += [f"--dataset={tmp_path}/set", "--methods=median,N2N", "--precision=float32"]
    done = run_command("scripts.reproduce", *flags, "--sigmas=10")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "n2n" / "weights.weights.h5").is_file()
    done = run_command("scripts.reproduce", *flags, "--sigmas=10,50")
    assert done.returncode == 0, done.stderr
    assert "finished already" in done.stdout
    assert done.stdout.count("RESULT") == 2  # sigma 10 was there
    with open(tmp_path / "out" / "psnr.csv", newline="") as file:
        rows = {(r["method"], r["sigma"]): float(r["psnr"]) for r in csv.DictReader(file)}
    assert set(rows) == {(m, s) for m in ("median", "N2N") for s in ("10", "50")}
    assert rows["median", "10"] > rows["median", "50"]
    assert image_files.read_one(tmp_path / "out" / "psnr.png").std() > 5
    assert (tmp_path / "out" / "side_by_side.png").is_file()
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["a.png"]
    # Of a longer training they are other rows.
    longer = run_command("scripts.reproduce", *flags[:3], "--scale=2e-4", *flags[4:], "--sigmas=50")
    assert longer.returncode == 1
    assert "was started with num_images=4, not 6" in longer.stderr


@pytest.mark.slow
def test_the_models_that_come_along_are_scored_once(tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (40, 48, 3), np.uint8))
    flags = ["models", f"--output={tmp_path}/out", f"--dataset={tmp_path}/set"]
    flags += ["--methods=noisy,n2n-gauss25,photo-grey,ssdn-gauss5_50"]
    done = run_command("scripts.reproduce", *flags)
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.count("RESULT") == 3 + 1 + 3
    )  # the images have colours, photo-grey is left out
    with open(tmp_path / "out" / "table.csv", newline="") as file:
        rows = {(r["method"], r["sigma"]): r for r in csv.DictReader(file)}
    assert 1 < float(rows["ssdn-gauss5_50", "50"]["sigma_found"]) < 255
    assert 0 < float(rows["ssdn-gauss5_50", "50"]["within_1"]) <= 1
    assert not rows["n2n-gauss25", "25"]["within_1"] and not rows["noisy", "25"]["sigma_found"]
    evaluated = run_command(
        "noise2x.cli", "evaluate", "--model=n2n-gauss25", f"--dataset={tmp_path}/set"
    )
    psnr = float(re.search(r"psnr=([\d.]+) ", evaluated.stdout)[1])
    assert psnr == pytest.approx(float(rows["n2n-gauss25", "25"]["psnr"]), abs=2e-3)
    (tmp_path / "out" / "table.md").unlink()
    again = run_command("scripts.reproduce", *flags)
    assert again.returncode == 0 and "RESULT" not in again.stdout
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert len(lines) == 2 + 3 and lines[3].count(" |  | ") == 2  # one sigma of three


@pytest.mark.slow
def test_psnr_over_minutes(tmp_path, run_command):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (40, 48, 3), np.uint8))
    flags = [f"--output={tmp_path}/out", "--train_set=sample", f"--dataset={tmp_path}/set"]
    flags += ["--scale=1e-6", "--minutes=1,10"]
    done = run_command("scripts.reproduce", "minutes", *flags, "--methods=n2n-paper")
    assert done.returncode == 0, done.stderr
    done = run_command("scripts.reproduce", "minutes", *flags, "--methods=n2n-fast")
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out" / "minutes.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["line"], r["minutes"]) for r in rows] == [
        (f"n2n-{schedule}", minutes) for schedule in ("paper", "fast") for minutes in ("1", "10")
    ]
    assert all(0 < float(row["psnr"]) < 40 for row in rows)
    assert "--schedule=fast" in rows[-1]["command"]
    assert (tmp_path / "out" / "minutes.png").is_file()
    flags += ["--methods=n2n-paper,n2n-fast"]
    again = run_command("scripts.reproduce", "minutes", *flags)
    assert again.returncode == 0 and "raining" not in again.stdout  # nothing is trained, nor timed
    assert again.stdout.count(" dB") == 4 and "timing" not in again.stdout
    done = run_command("scripts.reproduce", "minutes", *flags[:-1], "--minutes=0")
    assert done.returncode == 1 and "minutes='0': expected numbers above 0" in done.stderr


@pytest.mark.slow
def test_the_table_of_networks(tmp_path, run_command):
    flags = [f"--output={tmp_path}", "--train_set=sample", "--dataset=sample", "--scale=1e-6"]
    done = run_command("scripts.reproduce", "ee559", *flags, "--methods=nn_relu,nn_sigmoid")
    assert done.returncode == 0, done.stderr
    assert "Order, report: nn_relu > nn_sigmoid" in done.stdout
    with open(tmp_path / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["report"] for row in rows] == ["23.79", "23.29"]
    assert all(0 < float(row["ours"]) < 30 for row in rows)
    assert "--network=nn_sigmoid" in rows[1]["command"]
    with open(tmp_path / "overfitting.csv", newline="") as file:
        (losses, _) = csv.DictReader(file)
    assert float(losses["loss at step 500"]) < 0.5 * float(losses["loss at step 1"])
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert pictures == {"curves.png", "overfitting.png", "nn_relu.png", "nn_sigmoid.png"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subject", "methods", "lines"),
    [
        (
            "deblurring",
            "log_nodc",
            ("name=log_nodc scored=as validated", "scored=unit_sum=True"),
        ),
        ("superresolution", "single_image", ("name=single_image",)),
    ],
)
def test_the_extensions_write_their_table_and_curves(
    tmp_path, run_command, subject, methods, lines
):
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (130, 140, 1), np.uint8))
    flags = [f"--output={tmp_path}/out", "--train_set=sample", "--scale=1e-6"]
    flags += [f"--dataset={tmp_path}/set", f"--methods={methods}", "--precision=float32"]
    done = run_command("scripts.reproduce", subject, *flags)
    assert done.returncode == 0, done.stderr
    assert all(line in done.stdout for line in lines)
    with open(tmp_path / "out" / "table.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["name"] for row in rows)) == methods.split(",")
    assert all(0 < float(row["restored"]) < 60 for row in rows)
    assert "--num_images=4" in rows[0]["command"]
    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    # A network for each image has no curves to compare.
    trained_once = {"curves.png", "results.png", "steps.png"}
    assert pictures == (trained_once if subject == "deblurring" else set())
    assert {path.name for path in tmp_path.iterdir()} == {"set", "out"}


@pytest.mark.slow
def test_a_papers_table_is_made_and_gone_on_with(tmp_path, run_command):
    """Scored on a set of one picture, twice: the second time nothing is trained or scored."""
    image_files.write(tmp_path / "set" / "a.png", RNG.integers(0, 255, (48, 64, 3), np.uint8))
    flags = [f"--output={tmp_path}/out", "--train_set=sample", "--budget=0.001"]
    flags += [f"--dataset={tmp_path}/set", "--methods=Noise2Noise", "--precision=float32"]
    for _ in range(2):
        done = run_command("scripts.reproduce", "bsd68", *flags)
        assert done.returncode == 0, done.stderr
    assert "Run folder" not in done.stdout and "Noise2Noise" in done.stdout
    with open(tmp_path / "out" / "table.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert 0 < float(row["psnr"]) < 60 and "--schedule=fast" in row["training"]
    (line,) = (tmp_path / "out" / "table.md").read_text().splitlines()[2:]
    assert line.startswith("| Noise2Noise | ") and line.endswith("| not published | 4 crops |")
    assert len(list((tmp_path / "out").glob("side_by_side-*.png"))) == 1


def test_sets_that_are_not_here_are_named_under_the_table(tmp_path):
    from scripts.reproduce import papers

    papers._write_markdown("bsd68", [], ["bsd68", "set12"], tmp_path / "table.md")
    last = (tmp_path / "table.md").read_text().splitlines()[-1]
    assert last == "Not here, and left out: bsd68, set12."


def test_patches_are_fixed_and_of_one_size():
    image_set = image_sets.ImageSet(
        "two", [RNG.integers(0, 255, (n, 50, 3), np.uint8) for n in (40, 20)], ["a", "b"]
    )
    first, second = ee559.patches(image_set), ee559.patches(image_set)
    assert len(first) == ee559.PATCHES
    assert {patch.shape for patch in first.images} == {(32, 32, 3)}
    np.testing.assert_array_equal(first.images[7], second.images[7])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["figure9", "--output=x"], "Expected one of models, ee559, psnr_vs_sigma"),
        (["ee559"], "--output=... is required"),
        (["psnr_vs_sigma", "--output=x", "--methods=wavelets"], "methods='wavelets': expected"),
        (["ee559", "--output=x", "--methods=median"], "methods='median': expected unet"),
        (["psnr_vs_sigma", "--output=x", "--dataset=/nonexistent"], "/nonexistent: no such file"),
        (["psnr_vs_sigma", "--output=x", "--sigmas=a"], "noise='gaussa': expected"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(run_command, flags, message):
    done = run_command("scripts.reproduce", *flags)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message in done.stderr
