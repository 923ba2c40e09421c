"""The commands of Noise2Void as a microscopist runs them, and what is refused."""

import importlib.util
import re
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from common.files import image_files

RNG = np.random.default_rng(0)
TINY = ("--num_images=8", "--batch_size=4", "--crop_size=32", "--width=4")
TINY += ("--perc_pix=5", "--kernel_size=3")


def cells(*shape):
    """Counts of a microscope: blobs, Poisson noise, an offset."""
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    clean = 60 + 40 * np.sin(x / 7) * np.cos(y / 9)
    return (RNG.poisson(np.broadcast_to(clean, shape)) + 100).astype(np.uint16)


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_command):
    """(folder with stack.tif, run folder)."""
    folder = tmp_path_factory.mktemp("n2v")
    told = {"axes": "TYX", "unit": "um", "finterval": 0.5}
    path = folder / "stack.tif"
    tifffile.imwrite(path, cells(3, 50, 61), imagej=True, resolution=(4.0, 4.0), metadata=told)
    flags = [f"--data_path={path}", f"--run_dir={folder}/run", *TINY]
    done = run_command("n2v_tf.train", *flags)
    assert done.returncode == 0, done.stderr
    assert "Data: 3 images of 50x61 pixels, 1 channel, uint16." in done.stdout
    assert re.search(r"image 8: loss \d.*val_loss \d", done.stdout)
    assert list((folder / "run" / "samples").glob("*.png"))
    return folder


def test_the_stack_comes_back_with_axes_type_and_pixel_size(run, tmp_path, run_command):
    flags = [f"--run_dir={run}/run", f"--input={run}/stack.tif"]
    done = run_command("n2v_tf.denoise", *flags, f"--output={tmp_path}/a")
    assert done.returncode == 0, done.stderr
    with tifffile.TiffFile(tmp_path / "a" / "stack.tif") as tiff:
        assert (tiff.series[0].axes, tiff.series[0].dtype) == ("TYX", np.uint16)
        assert tiff.imagej_metadata["finterval"] == 0.5
        assert tiff.pages[0].resolution == pytest.approx((4.0, 4.0))
        whole = tiff.asarray()
    other = ["--tile_size=32", "--dtype=float32", f"--output={tmp_path}/b"]
    done = run_command("n2v_tf.denoise", *flags, *other)
    assert done.returncode == 0, done.stderr
    tiled = tifffile.imread(tmp_path / "b" / "stack.tif")
    assert tiled.dtype == np.float32
    assert np.abs(tiled - whole).max() < 0.51  # whole is rounded
    other = ["--normalize=image", "--tta", f"--output={tmp_path}/c"]
    assert run_command("n2v_tf.denoise", *flags, *other).returncode == 0
    assert (tifffile.imread(tmp_path / "c" / "stack.tif") != whole).any()


BIOIMAGE = """
import sys, zipfile
import keras, numpy as np, tifffile
from bioimageio.core import test_model
zipped, folder = sys.argv[1:]
summary = test_model(zipped, weight_format="onnx")
assert summary.status == "passed", [(d.name, d.errors) for d in summary.details if d.errors]
with zipfile.ZipFile(zipped) as file:
    file.extract("weights.keras", folder)
model = keras.models.load_model(folder + "/weights.keras")  # safe mode: nothing is unpickled
raw = tifffile.imread(folder + "/in.tif").astype(np.float32)
np.save(folder + "/restored.npy", model.predict_on_batch(raw[None, ..., None])[0, ..., 0])
assert "common" not in sys.modules
"""


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("bioimageio") is None, reason="the extra bioimageio is not installed"
)
def test_a_model_for_the_bioimage_zoo_takes_the_files_values(run, tmp_path, run_command):
    tifffile.imwrite(tmp_path / "in.tif", cells(48, 60))  # multiples of 4
    flags = [f"--run_dir={run}/run", f"--output={tmp_path}/out"]
    done = run_command("n2v_tf.denoise", *flags, f"--input={tmp_path}/in.tif", "--dtype=float32")
    assert done.returncode == 0, done.stderr
    done = run_command("n2v_tf.export", *flags, "--format=bioimageio")
    assert done.returncode == 0, done.stderr
    zipped = tmp_path / "out" / "n2v_tf-1.bioimageio.zip"
    program = [sys.executable, "-c", BIOIMAGE, str(zipped), str(tmp_path)]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    denoised = tifffile.imread(tmp_path / "out" / "in.tif")
    np.testing.assert_allclose(np.load(tmp_path / "restored.npy"), denoised, rtol=1e-4)


def test_evaluate_against_an_average(run, tmp_path, run_command):
    y, x = np.mgrid[:50, :61]
    average = (60 + 40 * np.sin(x / 7) * np.cos(y / 9)).astype(np.float32)
    stack = np.stack([average] * 3) * 7 - 3
    tifffile.imwrite(tmp_path / "average.tif", stack, photometric="minisblack")
    flags = [f"--run_dir={run}/run", f"--dataset={run}/stack.tif", "--dims=TYX"]
    reference = f"--reference={tmp_path}/average.tif"
    done = run_command("n2v_tf.evaluate", *flags, reference, "--baselines=noisy,median")
    assert done.returncode == 0, done.stderr
    assert "affine fit" in done.stdout
    rows = re.findall(
        r"RESULT .* noise=own images=3 psnr=([\d.]+) .*?(method=\w+)?$", done.stdout, re.M
    )
    assert [method for _, method in rows] == ["method=noisy", "method=median", ""]
    # A range of 80 counts; errors of noise whose variance is 60, that of the average 400, once the
    # fit has taken down the contrast; whatever scale the average has.
    expected = -10 * np.log10(60 * 400 / (60 + 400) / 80**2)
    assert float(rows[0][0]) == pytest.approx(expected, abs=0.3)
    one = tmp_path / "one.tif"
    tifffile.imwrite(one, average)
    done = run_command("n2v_tf.evaluate", *flags[:2], f"--reference={one}")
    assert done.returncode == 1
    assert "1 images, but" in done.stderr and "has 3; each needs its reference" in done.stderr


def test_volumes_are_trained_restored_and_exported(tmp_path, run_command):
    tifffile.imwrite(tmp_path / "v.tif", cells(9, 40, 44))
    flags = ["--dims=ZYX", "--crop_depth=8", f"--run_dir={tmp_path}/run"]
    done = run_command("n2v_tf.train", f"--data_path={tmp_path}/v.tif", *flags, *TINY)
    assert done.returncode == 0, done.stderr
    flags = [f"--run_dir={tmp_path}/run", f"--output={tmp_path}/out"]
    done = run_command("n2v_tf.denoise", *flags, f"--input={tmp_path}/v.tif", "--dims=ZYX")
    assert done.returncode == 0, done.stderr
    restored = tifffile.imread(tmp_path / "out" / "v.tif")
    assert restored.shape == (9, 40, 44)
    assert abs(restored.mean() - tifffile.imread(tmp_path / "v.tif").mean()) < 30
    # The axes of the training hold where none are named.
    again = [f"--input={tmp_path}/v.tif", "--tile_size=32"]
    done = run_command("n2v_tf.denoise", *flags, *again)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(tifffile.imread(tmp_path / "out" / "v.tif"), restored, atol=1)
    average = [f"--dataset={tmp_path}/v.tif", f"--reference={tmp_path}/v.tif"]
    done = run_command("n2v_tf.evaluate", *flags, *average)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "v-denoised.tif").is_file()
    done = run_command("n2v_tf.export", f"--run_dir={tmp_path}/run", f"--output={tmp_path}/m")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m" / "1" / "saved_model.pb").is_file()


def test_check_only_trains_nothing(run, tmp_path, run_command):
    flags = [f"--data_path={run}", "--file_pattern=*.tif", "--check_only", *TINY]
    done = run_command("n2v_tf.train", *flags)
    assert done.returncode == 0, done.stderr
    assert "Values from" in done.stdout and "Training on" not in done.stdout
    assert "restores them by photo-grey" in done.stdout
    planned = run_command("n2v_tf.train", *flags, f"--run_dir={tmp_path}/planned")
    assert planned.returncode == 0 and "After a training" in planned.stdout, planned.stderr
    assert f"{tmp_path}/planned: no finished training" in planned.stdout
    for data in (flags, ["--check_only"]):  # without flags the files of the training
        done = run_command("n2v_tf.train", *data, f"--run_dir={run}/run")
        assert f"photo-grey is better than {run}/run" in done.stdout, done.stderr
    done = run_command("n2v_tf.train", *flags, "--run_dir=photo-grey")
    assert done.returncode == 1 and "a run of n2n_tf, not of n2v_tf" in done.stderr
    tifffile.imwrite(tmp_path / "bright.tif", 30000 + cells(50, 61))
    other = [f"--data_path={tmp_path}/bright.tif", "--check_only", *TINY]
    done = run_command("n2v_tf.train", *other, f"--run_dir={run}/run")
    assert done.returncode == 1 and "was not trained on files like these" in done.stderr
    done = run_command("n2v_tf.train", "--check_only", f"--run_dir={tmp_path}/mistyped")
    assert done.returncode == 1
    assert "check_only is for images that are noisy already" in done.stderr
    assert f"{tmp_path}/mistyped: no finished training." in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--crop_size=64"], "crops of 64x64 are larger than every image"),
        (["--dims=ZYXC"], "3 axes; dims=ZYXC names 4"),
        (["--channels=3"], "1 channels, this model is for 3"),
        (["--struct_kernel=horizontal4"], "its sides must be odd"),
        (["--file_pattern=*.tif"], "no images that match"),
    ],
)
def test_commands_refuse_in_one_line(tmp_path, run_command, flags, message):
    np.save(tmp_path / "a.npy", cells(2, 50, 61))
    flags = [f"--data_path={tmp_path}", f"--run_dir={tmp_path}/run", *TINY, *flags]
    done = run_command("n2v_tf.train", *flags)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2  # the file's line and the error
    assert not (tmp_path / "run").exists()


def test_a_training_of_75_steps_restores(tmp_path, run_command):
    """With running averages of batch normalisation, which lag behind, it made the error larger."""
    noisy = cells(1, 96, 96)[0]
    y, x = np.mgrid[:96, :96]
    clean = 160 + 40 * np.sin(x / 7) * np.cos(y / 9)
    tifffile.imwrite(tmp_path / "a.tif", noisy)
    flags = ["--num_images=600", "--batch_size=8", "--crop_size=32", "--width=16", "--perc_pix=5"]
    flags += ["--kernel_size=3", "--learning_rate=2e-3"]
    flags += [f"--data_path={tmp_path}/a.tif", f"--run_dir={tmp_path}/run"]
    assert run_command("n2v_tf.train", *flags).returncode == 0
    flags = [f"--run_dir={tmp_path}/run", f"--output={tmp_path}/out", f"{tmp_path}/a.tif"]
    assert run_command("n2v_tf.denoise", *flags).returncode == 0
    restored = tifffile.imread(tmp_path / "out" / "a.tif").astype(float)
    assert (restored - clean).std() < 0.5 * (noisy - clean).std()
    assert abs(restored.mean() - clean.mean()) < 3


def test_a_resumed_run_notices_other_pixels(tmp_path, run_command):
    np.save(tmp_path / "a.npy", cells(50, 61))
    flags = [f"--data_path={tmp_path}/a.npy", f"--run_dir={tmp_path}/run", *TINY]
    assert run_command("n2v_tf.train", *flags).returncode == 0
    np.save(tmp_path / "a.npy", 5 * cells(50, 61))
    done = run_command("n2v_tf.train", *flags, "--resume")
    assert done.returncode == 1
    assert "was trained on other images" in done.stderr


def test_constant_and_broken_files_are_named(tmp_path, run_command):
    image_files.write(tmp_path / "flat" / "a.tif", np.full((50, 50, 1), 7, np.uint16))
    np.save(tmp_path / "nan.npy", np.full((50, 50), np.nan))
    for path, message in (
        (tmp_path / "flat", "constant images"),
        (tmp_path / "nan.npy", "2500 NaN"),
    ):
        done = run_command("n2v_tf.train", f"--data_path={path}", f"--run_dir={tmp_path}/r", *TINY)
        assert done.returncode == 1
        assert message in done.stderr


def test_a_result_that_the_noise_does_not_explain_is_said(run, tmp_path, run_command):
    """The model of two steps restores anything but the image."""
    flags = [f"--run_dir={run}/run", f"--output={tmp_path}/out", f"{run}/stack.tif"]
    done = run_command("n2v_tf.denoise", *flags, "--dims=TYX")
    assert done.returncode == 0, done.stderr
    said = re.search(
        r"stack.tif: restoring changed it by (\S+), more than the (\S+) that", done.stdout
    )
    assert said and float(said[1]) > float(said[2]) > 15


def test_a_zarr_array_is_trained_on_and_restored(tmp_path, run_command):
    zarr = pytest.importorskip("zarr")
    zarr.save_array(str(tmp_path / "cells.zarr"), cells(2, 48, 50))
    for path in (tmp_path / "cells.zarr", tmp_path):
        flags = [f"--data_path={path}", f"--run_dir={tmp_path}/{path.name}-run", "--dims=TYX"]
        done = run_command("n2v_tf.train", *flags, *TINY)
        assert done.returncode == 0, done.stderr
        assert "Data: 2 images of 48x50 pixels, 1 channel, uint16." in done.stdout
    flags = [f"--run_dir={tmp_path}/cells.zarr-run", f"--output={tmp_path}/out"]
    done = run_command("n2v_tf.denoise", *flags, f"{tmp_path}/cells.zarr")
    assert done.returncode == 0, done.stderr
    assert zarr.open(str(tmp_path / "out" / "cells.zarr"), mode="r").shape == (2, 48, 50)
