"""Models that come with the project: whole, found by name, and good at what they are for."""

import dataclasses
import re
import shutil

import numpy as np
import pytest
from scipy import ndimage
from skimage import data as pictures

import noise2x
from common import shipped
from common.evaluation import quality
from common.files import image_files
from common.training import runs
from noise2x import methods
from scripts.tools import ship
from superres import data as superres_data

RNG = np.random.default_rng(0)
COLOUR = pictures.astronaut()
TEXTS = (*ship.TEXTS, "psnr")


@pytest.mark.parametrize("name", shipped.names())
def test_a_model_is_whole_small_and_described(name):
    weights = shipped.folder(name) / "weights.npz"
    assert weights.stat().st_size < 4e6
    card = shipped.card(name)
    assert all(card[text] for text in TEXTS)
    assert methods.of_run(name).load_config(name)[0].train_set == "sample"


def test_all_of_them_together_are_small():
    sizes = [path.stat().st_size for path in shipped.FOLDER.rglob("*") if path.is_file()]
    assert sum(sizes) < 25e6


def test_there_is_one_for_every_number_of_channels_that_denoise_promises():
    for channels, name in methods.find("n2n").ready.items():
        config, _ = methods.of_run(name).load_config(name)
        assert config.channels == channels and config.noise.low == 0


def test_a_damaged_file_and_an_unknown_name_are_refused(tmp_path):
    (name, *_) = shipped.names()
    folder = tmp_path / "copy"
    shutil.copytree(shipped.folder(name), folder)
    noise2x.load(folder)
    content = bytearray((folder / "weights.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "weights.npz").write_bytes(content)
    with pytest.raises(runs.RunError, match="its hash is not that in config.json"):
        noise2x.load(folder)
    with pytest.raises(runs.RunError, match="phto: .* Did you mean the model photo"):
        noise2x.load("phto")


def test_16_bits_of_weights_are_enough(tmp_path):
    method = methods.find("ssdn")
    config = dataclasses.replace(method.default_config, noise_params="per_image").completed()
    denoiser = method.build(config)  # two networks, whose layers have equal names
    runs.save_config(tmp_path, method.name, config)
    runs.save_halves(tmp_path, denoiser)
    assert runs.is_finished(tmp_path)
    again = method.load(tmp_path)
    noisy = RNG.random((1, 32, 32, 3), np.float32)
    expected, found = (model(noisy)["mean"] for model in (denoiser, again))
    assert 0 < np.abs(np.asarray(expected) - np.asarray(found)).max() < 5e-3


def test_weights_of_another_network_and_too_large_ones_are_refused(tmp_path):
    method = methods.find("ssdn")
    config = dataclasses.replace(method.default_config, channels=1).completed()
    denoiser = method.build(config)
    runs.save_config(tmp_path, method.name, config)
    runs.save_halves(tmp_path, denoiser)
    other = method.build(dataclasses.replace(config, channels=3))
    with pytest.raises(runs.RunError, match="weights.npz: not this model's weights"):
        runs.load_weights(tmp_path, other)
    denoiser.weights[0].assign(denoiser.weights[0] + 7e4)
    with pytest.raises(runs.RunError, match="has weights that 16 bits can't hold"):
        runs.save_halves(tmp_path, denoiser)


@pytest.mark.parametrize(("name", "sigma", "gain"), [("photo", 25, 9.0), ("photo-grey", 25, 8.0)])
def test_noise_goes_and_a_clean_picture_stays(name, sigma, gain):
    clean = COLOUR if name == "photo" else COLOUR.mean(-1, keepdims=True).astype(np.uint8)
    model = noise2x.load(name)
    noisy = clean / 255 + sigma / 255 * RNG.standard_normal(clean.shape)
    restored = noise2x.denoise(noisy.astype(np.float32), model)["denoised"]
    assert quality.psnr(clean / 255, restored) > quality.psnr(clean / 255, noisy) + gain
    assert quality.psnr(clean / 255, noise2x.denoise(clean, model)["denoised"] / 255) > 36


def test_noise_that_neighbours_share_goes_with_the_model_for_cameras_alone():
    rng = np.random.default_rng(0)
    shared = ndimage.gaussian_filter(rng.standard_normal(COLOUR.shape), (0.7, 0.7, 0))
    noisy = np.clip(COLOUR / 255 + 12 / 255 * shared / shared.std(), 0, 1).astype(np.float32)
    before = quality.psnr(COLOUR / 255, noisy)
    gains = {
        name: quality.psnr(COLOUR / 255, noise2x.denoise(noisy, name)["denoised"]) - before
        for name in ("photo", "photo-camera")
    }
    assert gains["photo-camera"] > gains["photo"] + 1, gains


@pytest.mark.parametrize("name", ["photo", "photo-grey"])
def test_the_strength_of_the_noise_is_told_on_whole_pictures(name):
    """On small crops alone a network learned to tell it by their borders; at 15 it then failed."""
    clean = (COLOUR if name == "photo" else COLOUR.mean(-1, keepdims=True))[:384, :384] / 255
    model = noise2x.load(name)
    last = 45.0
    for sigma in (5, 10, 15, 20, 30):
        noisy = (clean + sigma / 255 * RNG.standard_normal(clean.shape)).astype(np.float32)
        psnr = quality.psnr(clean, noise2x.denoise(noisy, model)["denoised"])
        assert quality.psnr(clean, noisy) + 2 < psnr < last, sigma
        last = psnr


def test_denoise_alone_takes_the_model_that_fits_each_file(tmp_path, run_command):
    noisy = np.clip(COLOUR[:96, :80] + 20 * RNG.standard_normal((96, 80, 3)), 0, 255)
    image_files.write(tmp_path / "colour.png", noisy.astype(np.uint8))
    image_files.write(tmp_path / "grey.png", noisy[..., :1].astype(np.uint8))
    done = run_command("noise2x", "denoise", "colour.png", "grey.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Model: photo, which" in done.stdout and "Model: photo-grey, which" in done.stdout
    for name in ("colour.png", "grey.png"):
        restored = image_files.read_one(tmp_path / name.replace(".", "-denoised."))
        before = image_files.read_one(tmp_path / name)
        assert restored.shape == before.shape
        assert np.abs(np.diff(restored.astype(int), axis=0)).mean() < (
            np.abs(np.diff(before.astype(int), axis=0)).mean() / 2
        )


def test_denoise_alone_takes_little_of_the_result_where_there_is_almost_no_noise(
    tmp_path, run_command
):
    clean = pictures.coffee()[:256, -256:]
    noise = 10 * np.random.default_rng(0).standard_normal(clean.shape)
    image_files.write(tmp_path / "clean.png", clean)
    image_files.write(tmp_path / "noisy.png", np.clip(clean + noise, 0, 255).astype(np.uint8))
    lines = {}
    for name, flags in {"alone": [], "all": ["--strength=1"], "named": ["--model=photo"]}.items():
        done = run_command(
            "noise2x", "denoise", str(tmp_path), f"--output={tmp_path}/{name}", *flags
        )
        assert done.returncode == 0, done.stderr
        lines[name] = done.stdout
    assert lines["alone"].count("almost none, so strength 0.25") == 1
    assert "so strength" not in lines["all"] + lines["named"]

    def change(name, file):
        result = image_files.read_one(tmp_path / name / file)
        before = image_files.read_one(tmp_path / file)
        return np.sqrt(np.mean((result.astype(float) - before) ** 2))

    assert change("alone", "clean.png") < 0.4 * change("all", "clean.png")
    assert 20 * np.log10(255 / change("alone", "clean.png")) > 40
    for name, file in (("alone", "noisy.png"), ("named", "noisy.png"), ("named", "clean.png")):
        assert change(name, file) == change("all", file) > 1


def test_asked_for_the_deviation_it_takes_a_model_that_predicts_it_and_finds_the_level(
    tmp_path, run_command
):
    clean = COLOUR[:128, :144].mean(-1, keepdims=True)
    noisy = np.clip(clean + 20 * RNG.standard_normal(clean.shape), 0, 255)
    image_files.write(tmp_path / "grey.png", noisy.astype(np.uint8))
    done = run_command("noise2x", "denoise", "grey.png", "--std", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Model: ssdn-gauss5_50-grey, which" in done.stdout
    found = float(re.search(r"noise level found: ([\d.]+) \(sigma in", done.stdout)[1])
    assert found == pytest.approx(20, abs=2)
    restored = image_files.read_one(tmp_path / "grey-denoised.png")
    error = np.sqrt(np.mean((restored - clean) ** 2))
    assert error < 0.6 * 20
    std = 255 * image_files.read_one(tmp_path / "grey-std.tif")
    assert 0.6 < error / np.sqrt(np.mean(std**2)) < 1.6


def test_models_are_listed_with_their_cards(tmp_path, run_command):
    done = run_command("noise2x", "models", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in shipped.names())
    done = run_command("noise2x", "models", "photo", cwd=tmp_path)
    assert "limits  " in done.stdout and "kodak  gauss15 " in done.stdout
    done = run_command("noise2x", "models", "foto", cwd=tmp_path)
    assert done.returncode == 1 and "expected one of" in done.stderr


def test_one_enlarges_and_is_not_among_those_that_restore():
    enlarging = set(shipped.names()) - set(shipped.names(same_size=True))
    assert enlarging == {"superres-x2"}
    clean = COLOUR[:256, :256] / 255
    small, bicubic = superres_data.shrink_and_enlarge(clean.astype(np.float32), 2)
    large = noise2x.denoise(small, noise2x.load("superres-x2"))["denoised"]
    assert quality.psnr(clean, large) > quality.psnr(clean, bicubic) + 1.5
    assert np.abs((large - clean).mean(axis=(0, 1))).max() < 1 / 255  # no cast
