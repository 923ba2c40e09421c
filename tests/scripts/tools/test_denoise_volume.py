"""denoise_volume: two workers, killed and started again, write what `denoise` writes."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.conftest import ROOT

needed = [p for p in ("zarr", "distributed") if importlib.util.find_spec(p) is None]
pytestmark = pytest.mark.skipif(bool(needed), reason=f"not installed: {', '.join(needed)}")
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_command):
    """(folder, run folder) with counts.zarr, 2 pages; last blocks are narrower than a halo."""
    import zarr

    folder = tmp_path_factory.mktemp("volume")
    y, x = np.mgrid[:150, :275]
    clean = 100 + 50 * np.sin(x / 7) * np.cos(y / 9)
    data = RNG.poisson(np.stack([clean, clean + 9])).astype(np.uint16)
    zarr.create_array(str(folder / "counts.zarr"), data=data, chunks=(1, 64, 64))
    np.save(folder / "counts.npy", data)
    flags = [f"--data_path={folder}/counts.npy", "--dims=TYX", "--num_images=16", "--batch_size=8"]
    flags += ["--crop_size=32", "--width=4", "--kernel_size=3", f"--run_dir={folder}/run"]
    done = run_command("n2v_tf.train", *flags)
    assert done.returncode == 0, done.stderr
    return folder, folder / "run"


def arguments(run, output):
    folder, run_dir = run
    return [
        f"--run_dir={run_dir}",
        f"--input={folder}/counts.zarr",
        f"--output={output}",
        "--block=64",
        "--dims=TYX",
    ]


@pytest.mark.slow
def test_killed_and_resumed_it_equals_denoise(run, tmp_path, run_command):
    import zarr

    flags = arguments(run, tmp_path / "out.zarr")
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.tools.denoise_volume", *flags, "--workers=1"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    done = tmp_path / "out.zarr.blocks"
    try:
        ends = time.monotonic() + 120
        while len(list(done.glob("*-*-*"))) < 2:
            assert process.poll() is None and time.monotonic() < ends
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finished = run_command("scripts.tools.denoise_volume", *flags)
    assert finished.returncode == 0, finished.stderr
    assert "of 16 blocks are there already." in finished.stdout
    assert not done.exists()
    direct = [f"--run_dir={run[1]}", f"--input={run[0]}/counts.npy", f"--output={tmp_path}/direct"]
    whole = run_command("n2v_tf.denoise", *direct, "--dims=TYX")
    assert whole.returncode == 0, whole.stderr
    restored = zarr.open(tmp_path / "out.zarr", mode="r")[...]
    direct = np.load(tmp_path / "direct" / "counts.npy")
    differs = np.abs(restored.astype(int) - direct)  # where convolutions of other sizes round apart
    assert differs.max() <= 1 and (differs > 0).mean() < 1e-4
    again = run_command("scripts.tools.denoise_volume", *flags)
    assert again.returncode == 1 and "is there already" in again.stderr
    for more, said in (
        ("--block=8", "block=8: expected at least"),
        ("--input=nowhere.zarr", "nowhere.zarr: no Zarr folder"),
    ):
        refused = run_command(
            "scripts.tools.denoise_volume", *flags, f"--output={tmp_path}/b.zarr", more
        )
        assert refused.returncode == 1
        assert said in refused.stderr and "Traceback" not in refused.stderr, refused.stderr
    assert not list(tmp_path.glob("b*"))
