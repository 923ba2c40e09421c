"""Programs that measure: they run, and print what they promise."""

import contextlib
import json
import sys
import time

import numpy as np
import pytest

from common.files import image_files
from scripts.check import convolutions
from scripts.check.faults import damage, watch
from scripts.check.peers import comparing

RNG = np.random.default_rng(0)


def test_compare_tiles_finds_no_difference_with_the_whole_halo(tiny_run, tmp_path, run_command):
    image_files.write(tmp_path / "a.png", RNG.integers(0, 255, (96, 64, 3), np.uint8))
    flags = [f"--run_dir={tiny_run}", f"--input={tmp_path}/a.png", "--halos=16", "--repeats=1"]
    done = run_command("scripts.check.compare_tiles", *flags, "--repeat_image=2", "--tile_size=64")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("halo")]
    assert len(lines) == 2
    assert "A pixel sees 315 pixels far" in done.stdout
    whole = float(lines[-1].split("largest difference ")[1].split(",")[0])
    assert whole < 1e-5  # as far as a pixel sees: the result is that of the whole image


def test_benchmark_times_a_step_its_parts_and_a_restored_image(tmp_path, run_command):
    flags = ["--steps=2", "--batch_size=1", "--crop_size=32", "--sizes=192x96", "--nostart"]
    new = tmp_path / "new.json"
    done = run_command("scripts.check.benchmark", "n2v", *flags, f"--json={new}")
    assert done.returncode == 0, done.stderr
    for part in ("ceiling", "step", "batches", "masking", "alone", "restore"):
        lines = [line for line in done.stdout.splitlines() if line.startswith(part)]
        assert lines and all(float(line.split()[1]) > 0 for line in lines)
    (figures,) = json.loads(new.read_text()).values()
    parts = [figures[f"{kind}_ms"] for kind in ("convolution", "transposed", "kernel_gradient")]
    assert figures["alone_ms"] == pytest.approx(sum(parts))
    again = run_command("scripts.check.benchmark", "n2v", *flags, f"--compare={new}")
    assert again.returncode == 0, again.stderr
    (line,) = [line for line in again.stdout.splitlines() if " gflop " in line]
    assert line.split()[-1] == "1.00"  # the same convolutions


def test_benchmark_restores_with_a_model_that_comes_along(tmp_path, run_command):
    names, new = ["photo-grey", "ssdn-gauss5_50-grey"], tmp_path / "new.json"
    done = run_command("scripts.check.benchmark", *names, "--sizes=96x64", f"--json={new}")
    assert done.returncode == 0, done.stderr
    figures = json.loads(new.read_text())
    assert list(figures) == names
    seconds = [figures[name]["restore_96x64_s"] for name in names]
    assert 0 < seconds[0] < seconds[1]  # the second one finds the noise level, too
    assert all(figures[name]["restore_96x64_gb"] > 0 for name in names)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["n3v"], "method='n3v': expected ssdn, n2n"),
        (["n2v", "--sizes=64"], "sizes='64': expected width x height"),
        (["n2v", "--compare=missing.json"], "missing.json: No such file"),
    ],
)
def test_benchmark_refuses(flags, message, run_command):
    done = run_command("scripts.check.benchmark", *flags)
    assert done.returncode == 1 and message in done.stderr


def test_a_worker_does_the_steps_that_it_is_told(tmp_path):
    """Ours; other programs do the same in environments that take gigabytes."""
    crops = RNG.random((8, 32, 32, 1), np.float32)
    np.save(tmp_path / "crops.npy", crops)
    settings = {"method": "n2v", "batch_size": 2, "crop_size": 32, "width": 4, "perc_pix": 5.0}
    command = [sys.executable, "-m", "scripts.check.peers.ours", str(tmp_path / "crops.npy")]
    worker = comparing.Worker([*command, json.dumps(settings)], tmp_path / "said.txt")
    try:
        for _ in range(2):
            wall, user, system = worker.times(2)
            assert wall > 0 and user >= 0 and system >= 0
    finally:
        worker.close()
    with pytest.raises(ValueError, match="widths"):
        comparing.Worker([*command, json.dumps({"method": "n2v", "widths": 1})], tmp_path / "e.txt")


def test_a_convolution_counts_its_multiplications():
    """2 x 8 x 8 output pixels, each 3 x 3 x 5 products for 7 features, times two for the sums."""
    image, kernel = (2, 8, 8, 5), (3, 3, 5, 7)
    ones, settings = (1, 1, 1, 1), ("SAME", "float32")
    forward = convolutions.Convolution("Conv2D", (image, kernel), (), ones, *settings)
    fine = (2, 8, 8, 7)
    by_input = convolutions.Convolution(
        "Conv2DBackpropInput", (kernel, fine), image, ones, *settings
    )
    by_kernel = convolutions.Convolution(
        "Conv2DBackpropFilter", (image, fine), kernel, ones, *settings
    )
    for convolution in (forward, by_input, by_kernel):
        assert convolution.flops == 2 * (2 * 8 * 8) * (3 * 3 * 5) * 7
        assert convolution.seconds() > 0


@pytest.mark.slow
def test_fuzz_does_or_refuses_whatever_comes(tmp_path, run_command):
    done = run_command("scripts.check.fuzz", "--count=50", f"--output={tmp_path}/fuzz")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stdout.endswith("fuzz: 50 inputs, 0 tracebacks, 0 hangs\n")
    for kind in ("images: 29", "weights: 6", "run folders: 6", "requests: 7", "command lines: 2"):
        assert kind in done.stdout


def test_what_must_not_happen_is_counted(capsys):
    watched = watch.Watch(1)
    watched.run("refused", lambda: (_ for _ in ()).throw(ValueError("a message for the user")))
    watched.run("a fault", lambda: {}["missing"])

    def reader():
        with contextlib.suppress(OSError):  # as TimeoutError is: it must not hide the limit
            time.sleep(3)

    watched.run("slow", reader)
    assert watched.summary() == "fuzz: 3 inputs, 1 tracebacks, 1 hangs"
    with pytest.raises(KeyboardInterrupt):
        watched.run("stopped by hand", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert watched.failed == 2
    assert "KeyError: 'missing'" in capsys.readouterr().out


def test_damage_is_repeatable_and_changes_the_file():
    content = bytes(range(256)) * 4
    damaged = [damage.damage(content, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert damaged[0] == damaged[1] != content
    assert damaged[2] != damaged[0]
