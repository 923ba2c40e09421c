"""make_mri_dataset: slices and volumes become what n2n_tf.mri reads; odd ones are named."""

import nibabel
import numpy as np

from common.data import datasets
from common.files import image_files
from scripts.data import make_mri_dataset

RNG = np.random.default_rng(0)


def volume(shape=(30, 40, 5), dtype=np.int16):
    values = RNG.integers(100, 1000, shape)
    if len(shape) == 3 and shape[2] > 1:
        values[..., 0] = 0  # an empty slice
    return values.astype(dtype)


def save(path, values):
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)


def test_volumes_become_slices(tmp_path, run_command):
    folder = tmp_path / "in"
    folder.mkdir()
    values = volume()
    save(folder / "good.nii.gz", values)
    save(folder / "single.nii", volume((30, 40, 1), np.float32)[..., 0])
    save(folder / "time.nii", volume((8, 8, 3, 2)))
    save(folder / "complex.nii", volume((8, 8, 3)).astype(np.complex64))
    save(folder / "nan.nii", np.full((8, 8, 3), np.nan, np.float32))
    save(folder / "black.nii", np.zeros((8, 8, 3), np.int16))
    (folder / "cut.nii").write_bytes((folder / "single.nii").read_bytes()[:400])
    (folder / "text.nii.gz").write_bytes(b"nothing")
    flags = [f"--input={folder}", f"--output={tmp_path}/out.h5", "--size=36", "--slices=all"]
    done = run_command("scripts.data.make_mri_dataset", *flags)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "5 slices of 8 files; left out: 1 nearly empty slices, 6 bad files" in done.stdout
    for words in (
        "time.nii: axes of (8, 8, 3, 2); expected a volume",
        "complex.nii: complex64 values; expected real numbers",
        "nan.nii: NaN or infinite",
        "black.nii: no brightness above 0",
        "cut.nii: not readable as NIfTI",
        "text.nii.gz: not readable as NIfTI",
    ):
        assert words in done.stderr
    loaded = datasets.load(f"{tmp_path}/out.h5")
    assert [image.shape for image in loaded.images] == [(36, 36, 1)] * 5
    # (X, Y, Z) -> rows from front to back: Y downwards; 40 rows cut to 36, 30 columns filled up.
    expected = np.flip(values[..., 1].T, axis=0)[2:38] / values.max()
    inside = loaded.images[0][:, 3:33, 0] / 255.0
    np.testing.assert_allclose(inside, np.clip(expected, 0, 1), atol=0.003)
    assert not loaded.images[0][:, :3].any() and not loaded.images[0][:, 33:].any()


def test_the_originals_slices_of_the_subjects_that_are_named(tmp_path, run_command):
    for name in ("IXI012-HH", "IXI013-HH", "IXI015-HH"):
        save(tmp_path / f"{name}.nii.gz", volume((16, 16, 130)))
    (tmp_path / "training.txt").write_text("IXI015\nIXI012\n")
    flags = [f"--input={tmp_path}", f"--output={tmp_path}/out.h5", "--size=16"]
    flags += [f"--subjects={tmp_path}/training.txt"]
    done = run_command("scripts.data.make_mri_dataset", *flags, "--white=percentile")
    assert done.returncode == 0, done.stderr
    assert "200 slices of 2 files" in done.stdout
    for more, message in (
        ("--slices=130-140", "130 slices; none of --slices is there"),
        ("--slices=7", "slices='7': expected two numbers"),
        (f"--subjects={tmp_path}/none.txt", "none.txt: No such file"),
    ):
        done = run_command("scripts.data.make_mri_dataset", *flags, more)
        assert done.returncode == 1 and message in done.stderr, done.stderr
    (tmp_path / "training.txt").write_text("IXI99")
    done = run_command("scripts.data.make_mri_dataset", *flags)
    assert done.returncode == 1 and "no file begins with IXI99" in done.stderr


def test_pictures_keep_their_values_and_train(tmp_path, run_command):
    slices = RNG.integers(0, 255, (3, 64, 64, 1), np.uint8)
    for i, image in enumerate(slices):
        image_files.write(tmp_path / "in" / f"{i}.png", image)
    image_files.write(tmp_path / "in" / "colour.png", RNG.integers(0, 255, (64, 64, 3), np.uint8))
    flags = [f"--input={tmp_path}/in", f"--output={tmp_path}/out.h5", "--size=64"]
    done = run_command("scripts.data.make_mri_dataset", *flags)
    assert done.returncode == 1
    assert "colour.png: colour; expected grey slices. Skipped." in done.stderr
    for ours, image in zip(datasets.load(f"{tmp_path}/out.h5").images, slices):
        np.testing.assert_array_equal(ours, image)
    done = run_command(
        "n2n_tf.mri.train",
        f"--train_set={tmp_path}/out.h5",
        f"--run_dir={tmp_path}/run",
        "--crop_size=63",
        "--num_images=2",
        "--batch_size=2",
    )
    assert done.returncode == 0, done.stderr
    assert "Training on 3 images" in done.stdout


def test_fit_cuts_and_fills_around_the_middle():
    image = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(make_mri_dataset.fit(image, 2), [[1, 2], [5, 6]])
    filled = make_mri_dataset.fit(image, 5)
    np.testing.assert_array_equal(filled[1:4, :4], image)
    assert filled.shape == (5, 5) and filled.sum() == image.sum()
