"""dbsn_tf.distill: what is taught, what is refused, and the command."""

import keras
import numpy as np
import pytest

from common.data import image_sets
from common.files import image_files
from dbsn_tf import configs as teacher_configs
from dbsn_tf import denoiser as teachers
from dbsn_tf.distill import configs, data, denoiser
from tests.conftest import TINY

RNG = np.random.default_rng(0)


def unpaired(size=48, count=3, roots=None):
    roots = np.linspace(0.02, 0.2, len(data.VALUES))[:, None, None] if roots is None else roots
    channels = roots.shape[-1]
    images = [RNG.integers(0, 255, (size, size, channels), np.uint8) for _ in range(count)]
    noisy, restored = RNG.random((2, size, size, channels)).astype(np.float32)
    result = data.TeacherResult(noisy, restored, roots)
    return data.Unpaired("clean", images, [f"{i}" for i in range(count)], (result,))


def test_clean_crops_get_the_learned_noise_and_noisy_ones_the_teachers_results():
    config = configs.Config(
        channels=1, crop_size=32, batch_size=8, noisy_weight=0.25, num_images=80
    )
    images = unpaired()
    x, y = next(iter(data.training_batches(images, config.completed(), 0)))
    noisy, target, weight = (np.asarray(a) for a in (x["noisy"], y["target"], y["weight"]))
    np.testing.assert_array_equal(weight.ravel(), [1.0, 0.25] * 4)
    # Even: noise as strong as the function says, times 0.9 to 1.1.
    deviation = np.interp(target[::2], data.VALUES, images.teacher_results[0].roots.ravel())
    strengths = ((noisy - target)[::2] / deviation).std(axis=(1, 2, 3))
    assert (strengths > 0.8).all() and (strengths < 1.2).all()
    # Odd: a part of the noisy image beside the same part of the teacher's result.
    windows = np.lib.stride_tricks.sliding_window_view
    for crop, of in ((noisy[1], "noisy"), (target[1], "restored")):
        whole = getattr(images.teacher_results[0], of)[..., 0]
        equal = (windows(whole, (32, 32)) == crop[..., 0]).all(axis=(2, 3))
        assert equal.sum() == 1
    again = next(iter(data.training_batches(images, config.completed(), 0)))
    np.testing.assert_array_equal(again[0]["noisy"], noisy)


def test_noise_that_channels_share_is_drawn_as_the_teacher_learned_it():
    teacher = teachers.Denoiser(
        teacher_configs.Config(width=4, blocks=1, num_images=8, noise="multigauss25").completed()
    )
    image = RNG.random((24, 24, 3)).astype(np.float32)
    roots = teacher.noise_roots(image, data.VALUES)
    assert roots.shape == (len(data.VALUES), 3, 3)
    covariance = roots[0] @ roots[0].T
    assert abs(covariance[0, 1]) > 0
    images = unpaired(96, roots=roots)
    config = configs.Config(crop_size=96, batch_size=2, num_images=80, noise="multigauss25")
    x, y = next(iter(data.training_batches(images, config.completed(), 0)))
    noise = np.asarray(x["noisy"][0] - y["target"][0]).reshape(-1, 3).astype(np.float64)
    found = noise.T @ noise / len(noise)
    strength = np.trace(found) / np.trace(covariance)
    assert 0.75 < strength < 1.3
    scale = strength * np.trace(covariance)
    np.testing.assert_allclose(found / scale, strength * covariance / scale, atol=0.03)


def test_a_set_that_shares_an_image_is_refused():
    images = unpaired()
    other = image_sets.ImageSet("noisy", [images.images[2].copy()], ["b"])
    with pytest.raises(ValueError, match=r"share 1 images \(2, ...\): they are to be unpaired"):
        data.refuse_shared(images, other)


@pytest.mark.parametrize("network", ["mwcnn", "unet", "nn_relu"])
def test_any_size_is_restored(network):
    config = configs.Config(network=network, width=4).completed()
    model = denoiser.Denoiser(config)
    image = RNG.random((1, 9, 17, config.channels)).astype(np.float32)
    assert set(result := model.predict_on_batch(image)) == {"denoised"}
    assert result["denoised"].shape == image.shape


@pytest.mark.parametrize("channels", [1, 3])
def test_a_portable_mwcnn_restores_the_same_with_layers_of_keras_alone(channels, tmp_path):
    model = denoiser.Denoiser(configs.Config(width=4, channels=channels).completed())
    image = RNG.random((1, 16, 24, channels)).astype(np.float32)
    expected = np.asarray(model.network(image))
    model.portable().network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded.predict_on_batch(image), expected, atol=1e-6)
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)


@pytest.mark.slow
def test_the_command_learns_from_a_trained_model_and_says_what_it_lacks(tmp_path, run_command):
    teacher = ["dbsn_tf.train", f"--run_dir={tmp_path}/teacher", "--width=4", "--blocks=1", *TINY]
    done = run_command(*teacher)
    assert done.returncode == 0, done.stderr
    image_files.write(tmp_path / "noisy" / "a.png", RNG.integers(0, 255, (40, 44, 1), np.uint8))
    flags = [f"--run_dir={tmp_path}/run", "--width=4", *TINY]
    lacking = run_command("dbsn_tf.distill.train", *flags)
    assert lacking.returncode == 1 and "--teacher=... is required" in lacking.stderr
    flags += [f"--teacher={tmp_path}/teacher", f"--noisy_set={tmp_path}/noisy"]
    done = run_command("dbsn_tf.distill.train", *flags)
    assert done.returncode == 0, done.stderr
    done = run_command(
        "dbsn_tf.distill.evaluate", f"--run_dir={tmp_path}/run", f"--dataset={tmp_path}/noisy"
    )
    assert done.returncode == 0, done.stderr
    assert "network=mwcnn noise=gauss25 images=1 psnr=" in done.stdout
    same = [flag for flag in flags if "noisy_set" not in flag and "run_dir" not in flag]
    same += [f"--run_dir={tmp_path}/same", "--noisy_set=sample"]
    refused = run_command("dbsn_tf.distill.train", *same)
    assert refused.returncode == 1 and "they are to be unpaired" in refused.stderr
