"""The commands for spectra: train, evaluate, denoise from measured files; what they refuse."""

import dataclasses
import re

import numpy as np
import pytest

from common.data import datasets
from common.files import image_files
from common.restoring import prediction
from n2n_tf.mri import configs, denoise, denoiser, spectrum
from n2n_tf.mri.method import METHOD

RNG = np.random.default_rng(0)
TINY = ("--num_images=4", "--batch_size=2", "--crop_size=31", "--precision=float32")


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_command):
    run_dir = tmp_path_factory.mktemp("mri") / "run"
    done = run_command("n2n_tf.mri.train", f"--run_dir={run_dir}", *TINY)
    assert done.returncode == 0, done.stderr
    assert "Training on 200 images of phantoms" in done.stdout
    return run_dir


def measured(height=63, width=47, scale=1.0):
    image = RNG.random((height, width))
    density = spectrum.draw_density(
        spectrum.keep_probability(height, width, 0.2), RNG.random(image.shape)
    )
    return np.fft.fftshift(np.fft.fft2(scale * image)) * (density > 0)


def test_turned_images_need_turned_samples(run, run_command):
    done = run_command("n2n_tf.mri.evaluate", f"--run_dir={run}", "--tta")
    assert done.returncode == 1
    assert "tta: this model restores from more than an image" in done.stderr


def test_evaluate_scores_the_phantoms(run, tmp_path, run_command):
    done = run_command(
        "n2n_tf.mri.evaluate",
        f"--run_dir={run}",
        "--max_images=2",
        "--baselines=noisy",
        f"--output={tmp_path}",
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert len(lines) == 2 and lines[0].endswith("method=noisy")
    assert re.match(r"RESULT dataset=phantoms noise=spectrum2.5 images=2 psnr=\d+\.\d+", lines[1])
    assert image_files.read_one(tmp_path / "contact_sheet.png").shape[-1] == 3
    other = run_command("n2n_tf.mri.evaluate", f"--run_dir={run}", "--noise=gauss25")
    assert other.returncode == 1
    assert "noise='gauss25': expected spectrum" in other.stderr


def test_denoise_reads_spectra_and_names_what_is_none(run, tmp_path, run_command):
    folder = tmp_path / "in"
    folder.mkdir()
    good = {"a": measured(), "stack": np.stack([measured(scale=900.0) for _ in range(2)])}
    bad = {
        "even": measured()[1:],
        "real": measured().real,
        "nan": np.full((5, 5), np.nan + 0j),
        "one_sided": np.triu(measured()),
    }
    for name, array in (good | bad).items():
        np.save(folder / f"{name}.npy", array)
    (folder / "cut.npy").write_bytes((folder / "a.npy").read_bytes()[:100])
    (folder / "zip.npy").write_bytes(b"PK\x03\x04 and nothing more")
    np.save(tmp_path / "huge.npy", measured())
    head = (tmp_path / "huge.npy").read_bytes().replace(b"(63, 47), ", b"(9999999999, 47), ", 1)
    (folder / "huge.npy").write_bytes(head)
    flags = [f"--run_dir={run}", f"--input={folder}", f"--output={tmp_path}/out"]
    done = run_command("n2n_tf.mri.denoise", *flags)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "7 of 9 files could not be restored" in done.stderr
    for words in (
        r"even.npy: shape \(62, 47\); expected",
        r"real.npy: float64 values; expected a complex",
        r"nan.npy: NaN or infinite",
        r"one_sided.npy: not the spectrum of a real image",
        r"cut.npy: not readable",
        r"zip.npy: not readable",
        r"huge.npy: not readable",
    ):
        assert re.search(words, done.stdout), (words, done.stdout)
    for name, array in good.items():
        restored = image_files.read(tmp_path / "out" / f"{name}.tif")[..., 0]
        assert restored.shape == (array if array.ndim == 3 else array[None]).shape
        ours = np.fft.fftshift(np.fft.fft2(restored), axes=(1, 2)).reshape(array.shape)
        kept = array != 0
        # On the spectrum's own scale, and what was measured is in it.
        np.testing.assert_allclose(ours[kept], array[kept], atol=1e-4 * np.abs(array).max())


def test_a_spectrum_is_restored_as_in_the_evaluation(tmp_path):
    """Its own scale is not known: what is guessed must not cost much."""
    config = configs.Config(crop_size=127).completed()
    model = denoiser.Denoiser(config)
    image_set = datasets.load("phantoms", held_back=True, max_images=6)
    for _, clean, inputs in METHOD.examples(image_set, config, noise=config.noise):
        density = inputs["density"][..., 0]
        whole = np.fft.fftshift(np.fft.fft2(clean[..., 0])) * (density > 0)
        guessed = denoise.restore_spectrum(model, 500.0 * whole)
        expected = prediction.restore(model, inputs)["denoised"][..., 0]
        ratio = guessed.std() / (500.0 * expected.std())
        assert 0.8 < ratio < 1.25
    # Told the scale, it is the same.
    told = denoiser.Denoiser(dataclasses.replace(config, white_level=500.0))
    told.set_weights(model.get_weights())
    restored = denoise.restore_spectrum(told, 500.0 * whole)
    np.testing.assert_allclose(restored / 500.0, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--noise=spectrum0"], "something must be kept"),
        (["--noise=spectrum1_5"], "expected one level, as spectrum2.5"),
        (["--crop_size=30"], "crop_size=30: expected an odd number"),
        (["--crop_size=999"], "crop_size=999: crops of 999x999 are larger than every image"),
        (["--noise=gauss25"], "noise='gauss25': expected spectrum"),
        (["--train_set=/nonexistent"], "/nonexistent: no such file or folder"),
    ],
)
def test_train_refuses_in_one_line(tmp_path, run_command, flags, message):
    done = run_command("n2n_tf.mri.train", f"--run_dir={tmp_path}/run", *flags)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert message in done.stderr
    assert not (tmp_path / "run").exists()
