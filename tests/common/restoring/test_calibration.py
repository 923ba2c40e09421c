"""common.restoring.calibration: transform, inverse, what is found and refused, exports."""

import importlib.util
import json

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

import noise2x
from common import noise as noises
from common.data import pipeline
from common.evaluation import quality
from common.restoring import (
    calibrated_model,
    calibrated_noise,
    calibration,
    calibration_files,
    prediction,
)
from common.serving import saved_models
from scripts.reproduce import ways
from tests import factory

GAIN, READ = 40.0, 60.0  # of the counts below


def counts(channels=1, side=192, seed=0):
    """(clean, noisy) smooth scenes of photons, as counts of a camera."""
    rng = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(rng.standard_normal((side, side, channels)), (7, 7, 0))
    clean = 400 + 3000 * (scene - scene.min()) / np.ptp(scene)
    noisy = GAIN * rng.poisson(clean / GAIN) + READ * rng.standard_normal(clean.shape)
    return clean.astype(np.float32), noisy.astype(np.float32)


@pytest.fixture(scope="module")
def calibrated():
    """(model calibrated for a noisy image, the clean one, the noisy one)."""
    clean, noisy = counts()
    model = noise2x.load("photo-grey", precision="float32")
    return calibration.calibrate(model, [noisy]), clean, noisy


@pytest.mark.parametrize("channels", [1, 3])
def test_a_table_is_inverted_exactly_also_beyond_its_knots(channels):
    inner = factory.build("n2n_tf", channels=channels)
    model = calibrated_model.Calibrated(inner, 100.0, 1100.0)
    values = np.linspace(-300, 1500, 60 * channels, dtype=np.float32).reshape(1, 60, 1, channels)
    np.testing.assert_allclose(model.forward(values), (values - 100) / 1000, atol=1e-4)
    rises = np.exp(np.random.default_rng(0).normal(-5, 1, (channels, calibrated_model.KNOTS)))
    table = np.cumsum(rises, axis=1).astype(np.float32)
    model.set_tables(table, table, 0.1)
    stable = model.forward(values)
    back, derivative = model.back(stable)
    np.testing.assert_allclose(back, values, rtol=1e-3, atol=0.3)
    step = 1e-3
    numerical = (model.back(stable + step)[0] - model.back(stable - step)[0]) / (2 * step)
    near = np.abs(np.asarray(stable)[..., None] - table).min(axis=-1) < 2 * step
    np.testing.assert_allclose(
        np.asarray(numerical)[~near], np.asarray(derivative)[~near], rtol=0.05
    )
    assert near.mean() < 0.9


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transform_makes_noise_equally_strong_and_its_inverse_keeps_means(channels):
    """For deviations that are known; the transform is Anscombe's then, but for its constants."""
    model = calibrated_model.Calibrated(factory.build("n2n_tf", channels=channels), -20.0, 400.0)
    knots = np.linspace(-20, 400, calibrated_model.KNOTS)
    gains = np.array([4.0, 2.0, 1.0])[:channels, None]
    deviations = np.sqrt(gains * np.maximum(knots, 0) + 25)
    calibration._transform(model, knots, deviations, (0.0, 100.0, 200.0, 300.0), [])
    rng = np.random.default_rng(0)
    for value in (20.0, 100.0, 280.0):
        sigma = np.sqrt(gains[:, 0] * value + 25)
        noisy = value + sigma * rng.standard_normal((1, 200_000, 1, channels))
        stable = np.asarray(model.forward(noisy.astype(np.float32)))
        level = stable.std(axis=(0, 1, 2))
        # At the lowest, five photons, a straight line is a rough picture of f.
        np.testing.assert_allclose(level, float(model.level[0]), rtol=0.12 if value < 50 else 0.03)
        mean = stable.mean(axis=(0, 1, 2), keepdims=True)
        np.testing.assert_allclose(np.asarray(model.back(mean)[0]).ravel(), value, atol=0.3)
    ends = np.full((1, 2, 1, channels), np.array([0.0, 300.0])[:, None, None], np.float32)
    reach = np.asarray(model.forward(ends))[0, :, 0]
    assert reach.min() == pytest.approx(0, abs=2e-3) and reach.max() == pytest.approx(1, abs=2e-3)


def test_models_of_ones_own_pairs_have_no_strongest_noise():
    clean, noisy = counts(side=96)
    inner = factory.build("n2n_tf", noise="none", pairs="x", channels=1)
    assert not calibrated_model.refusal(inner)
    model = calibration.calibrate(inner, [noisy])
    forward = np.asarray(model.forward_table)[0]
    assert np.ptp(forward) > 0.9  # the values are told apart


def test_noise_stronger_than_the_model_knows_is_made_as_weak():
    model = calibrated_model.Calibrated(factory.build("n2n_tf", noise="gauss0_50"), 0.0, 100.0)
    knots = np.linspace(0, 100, calibrated_model.KNOTS)
    deviations = np.full((3, calibrated_model.KNOTS), 40.0)
    calibration._transform(model, knots, deviations, (0.0, 40.0, 60.0, 100.0), [])
    assert 255 * float(model.level[0]) == pytest.approx(50, rel=1e-3)
    ends = np.array([0.0, 50.0, 100.0], np.float32).reshape(1, 3, 1, 1) * np.ones(3, np.float32)
    low, middle, high = np.asarray(model.forward(ends))[0, :, 0, 0]
    assert middle == pytest.approx(0.5, abs=1e-3) and high - low == pytest.approx(50 / 255 / 0.4)


def test_photons_that_take_a_few_values_are_restored_without_bias():
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.2, 0.8, 128, dtype=np.float32)[:, None, None] * np.ones((1, 128, 1))
    noisy = (rng.poisson(10 * ramp) / 10).astype(np.float32)
    model = calibration.calibrate(noise2x.load("photo-grey"), [noisy])
    restored = prediction.restore(model, {"noisy": noisy})["denoised"]
    thirds = [slice(0, 43), slice(43, 85), slice(85, 128)]
    for rows in thirds:
        assert restored[rows].mean() == pytest.approx(float(ramp[rows].mean()), abs=0.015)
    assert np.sqrt(np.mean((restored - ramp) ** 2)) < 0.06  # the noise has 0.14 to 0.28


@pytest.mark.parametrize("value", [0.0, 500.0])
def test_a_channel_without_noise_harms_no_other(value):
    clean, noisy = counts(channels=3, side=96)
    clean[..., 2] = noisy[..., 2] = value
    model = calibration.calibrate(noise2x.load("photo"), [noisy])
    restored = prediction.restore(model, {"noisy": noisy})["denoised"]
    errors = [np.sqrt(np.mean((image - clean) ** 2, axis=(0, 1))) for image in (noisy, restored)]
    assert (errors[1][:2] < 0.45 * errors[0][:2]).all(), errors
    assert errors[1][2] < 0.02 * np.ptp(clean)
    assert np.isfinite(calibrated_noise.estimate(model).gain)


def test_images_without_noise_stay_nearly_as_they_are():
    clean, _ = counts(side=96)
    restored = prediction.restore(
        calibration.calibrate(noise2x.load("photo-grey"), [clean]), {"noisy": clean}
    )["denoised"]
    assert quality.psnr_float(clean / np.ptp(clean), restored / np.ptp(clean)) > 40


def test_saturated_pixels_are_not_taken_for_calm_ones():
    clean, noisy = counts(side=256)
    full = np.minimum(noisy, np.quantile(noisy, 0.9)).astype(np.float32)
    model = calibration.calibrate(noise2x.load("photo-grey"), [full])
    values = np.linspace(800, np.quantile(noisy, 0.6), 20)  # near the limit it is cut off
    truth = np.sqrt(GAIN * values + READ**2)
    np.testing.assert_allclose(model.curves[0].at(values), truth, rtol=0.15)


def test_hot_and_dead_pixels_harm_no_others(calibrated):
    model, clean, noisy = calibrated
    rng = np.random.default_rng(0)
    wrong = rng.random(noisy.shape) < 1e-3
    spoiled = np.where(wrong, np.where(rng.random(noisy.shape) < 0.5, 2e5, 0), noisy)
    spoiled = spoiled.astype(np.float32)
    other = calibration.calibrate(model.inner, [spoiled])
    restored = prediction.restore(other, {"noisy": spoiled})["denoised"]
    assert restored[spoiled == 2e5].min() > 1.5e5  # what is far beyond the others stays
    away = ~ndimage.binary_dilation(wrong, iterations=5)
    assert away.mean() > 0.8
    unspoiled = prediction.restore(model, {"noisy": noisy})["denoised"]
    errors = [np.sqrt(np.mean((x - clean)[away] ** 2)) for x in (restored, unspoiled)]
    assert errors[0] < 1.05 * errors[1]


def scene(kind, side=192):
    """(clean, noisy) of photons, as counts, and their gain and read noise."""
    gain, read, rng = 10.0, 10.0, np.random.default_rng(1)
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((side, side)), 7)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    if kind == "a few bright cells on black":
        clean = 50 + 3000 * smooth**6
    elif kind == "masked":
        clean = 100 + 2900 * smooth
    else:
        gain, read = 1.0, 0.0
        clean = 1 + 3 * smooth
    noisy = gain * rng.poisson(clean / gain) + read * rng.standard_normal(clean.shape)
    if kind == "masked":
        clean[: side // 16] = noisy[: side // 16] = 0
    return clean[..., None].astype(np.float32), noisy[..., None].astype(np.float32), gain, read


@pytest.mark.parametrize("kind", ["a few bright cells on black", "masked", "a few photons a pixel"])
def test_it_is_near_the_transform_of_the_true_noise(kind):
    clean, noisy, gain, read = scene(kind)
    inner = noise2x.load("photo-grey")
    model = calibration.calibrate(inner, [noisy])
    oracle = calibrated_model.Calibrated(inner, model.low, model.high)
    knots = np.linspace(model.low, model.high, calibrated_model.KNOTS)
    true = np.sqrt(gain * np.maximum(knots, 0.1 * gain) + read**2)
    calibration._transform(oracle, knots, true[None], np.quantile(clean, calibration.ENDS), [])
    restored, best = (
        prediction.restore(each, {"noisy": noisy})["denoised"] for each in (model, oracle)
    )
    dark = (clean > 0) & (clean <= np.median(clean))
    for pixels in (clean > 0, dark):
        errors = [np.sqrt(np.mean((x - clean)[pixels] ** 2)) for x in (restored, best)]
        assert errors[0] < 1.1 * errors[1]
    values = np.quantile(clean[clean > 0], (0.05, 0.5, 0.95))
    found = model.curves[0].at(values)
    np.testing.assert_allclose(found, np.sqrt(gain * values + read**2), rtol=0.12)


def test_few_photons_in_colour_have_no_curve_that_is_too_steep_in_the_dark():
    """A quarter of the picture is black, and has nearly no noise: f rose there without end."""
    clean = data.astronaut()[::2, ::2].astype(np.float32) / 255
    noisy, _ = pipeline.evaluation_noise(clean, noises.parse("poissongauss10+2"), 0, 0)
    noisy = np.asarray(noisy, np.float32)
    inner = noise2x.load("photo")
    model = calibration.calibrate(inner, [noisy])
    restored = prediction.restore(model, {"noisy": noisy})["denoised"]
    transform = ways.Anscombe(1 / 10, 2 / 255)
    stable = prediction.restore(inner, {"noisy": transform.forward(noisy)})["denoised"]
    psnr = [
        quality.psnr_float(clean, np.clip(image, 0, 1))
        for image in (restored, transform.back(stable))
    ]
    assert psnr[0] > psnr[1] - 0.15, psnr


def test_it_restores_counts_far_better_than_the_model_alone(calibrated):
    model, clean, noisy = calibrated
    restored = prediction.restore(model, {"noisy": noisy})["denoised"]
    alone = prediction.restore(model.inner, {"noisy": noisy / 65535})["denoised"] * 65535
    psnr = [quality.psnr_float(clean / 3000, image / 3000) for image in (noisy, alone, restored)]
    assert psnr[2] > psnr[1] + 5 and psnr[2] > psnr[0] + 8, psnr
    assert abs(np.mean(restored - clean)) < 20


def test_the_same_images_give_the_same_bits_and_the_weights_inside_stay(calibrated):
    model, _, noisy = calibrated
    again = calibration.calibrate(noise2x.load("photo-grey", "float32"), [noisy])
    for key, weight in model.parts().items():
        np.testing.assert_array_equal(weight, again.parts()[key])
    for a, b in zip(model.inner.weights, noise2x.load("photo-grey").weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_tells_gain_and_read_noise():
    _, noisy = counts(side=256)
    model = calibration.calibrate(noise2x.load("photo-grey"), [noisy])
    found = calibrated_noise.estimate(model)
    assert found.gain == pytest.approx(GAIN, rel=0.15)
    for value, deviation in found.levels[2:-2]:
        assert deviation == pytest.approx((GAIN * value + READ**2) ** 0.5, rel=0.15)


def test_it_is_kept_in_a_file(calibrated, tmp_path):
    model, _, noisy = calibrated
    found = calibrated_noise.estimate(model)
    path = tmp_path / "a.json"
    model.inner_name = "photo-grey"
    calibration_files.save(model, path, found)
    assert json.loads(path.read_text())["noise"]["gain"] == found.gain
    loaded = calibration_files.load(noise2x.load("photo-grey", "float32"), path)
    part = noisy[None, :64, :64]
    np.testing.assert_array_equal(
        loaded.predict_on_batch(part)["denoised"], model.predict_on_batch(part)["denoised"]
    )
    with pytest.raises(ValueError, match="a calibration for 1 channels; this model has 3"):
        calibration_files.load(noise2x.load("photo"), path)
    good = path.read_text()
    falling = json.loads(good)
    falling["back_table"][0][7] = 1e9
    high_low = good.replace('"low": ', '"low": 1e9')
    for bad in ("", "{}", "[1]", good[:-90], high_low, json.dumps(falling)):
        path.write_text(bad)
        with pytest.raises(ValueError, match=r"a\.json: no calibration, or damaged"):
            calibration_files.load(model.inner, path)
    with pytest.raises(ValueError, match="has 0 for this model; name a file"):
        calibration_files.load(model.inner, tmp_path / "..", name="photo")
    with pytest.raises(ValueError, match="no such file|No such file"):
        calibration_files.load(model.inner, tmp_path / "b.json")


def test_in_python_counts_come_back_as_counts(tmp_path):
    clean, noisy = counts(side=96)
    image = np.clip(noisy[..., 0], 0, 65535).astype(np.uint16)
    with pytest.warns(UserWarning, match="9216 pixels are few"):
        model = noise2x.calibrate([image])
    restored = noise2x.denoise(image, model)["denoised"]
    assert restored.dtype == np.uint16 and restored.shape == image.shape
    before, after = (np.std(x.astype(float) - clean[..., 0]) for x in (image, restored))
    assert after < before / 2
    path = tmp_path / "cells.json"
    noise2x.save_calibration(model, path)
    again = noise2x.load("photo-grey", calibration=path)
    np.testing.assert_array_equal(noise2x.denoise(image, again)["denoised"], restored)
    with pytest.warns(UserWarning, match="was made with photo-grey, not with ssdn"):
        noise2x.load("ssdn-gauss5_50-grey", calibration=path)
    for other in (again, model.inner):
        with pytest.raises(ValueError, match="expected a model of noise2x.calibrate"):
            noise2x.save_calibration(other, path)
    with pytest.raises(ValueError, match="white_level: a calibrated model"):
        noise2x.denoise(image, model, white_level=4095)
    for images in ([], [image[0]], [np.full((99, 99), np.nan)], [image, np.ones((99, 99, 3))]):
        with pytest.raises(ValueError, match="image"):
            noise2x.calibrate(images)


@pytest.mark.parametrize(
    ("package", "settings", "message"),
    [
        ("n2v_tf", {"width": 4, "data_path": "x"}, "was trained on other noise, or on files"),
        ("n2n_tf", {"noise": "poisson30"}, "was trained on other noise"),
        ("ssdn_tf", {"noise": "gauss25", "pipeline": "workshop"}, "must be told its noise"),
        ("ssdn_tf", {"noise": "gauss25", "noise_params": "global"}, "knows the one level"),
        ("n2n_tf", {"noise": "gauss25"}, "knows noise of one strength"),
        ("superres", {}, "pictures of the same size"),
    ],
)
def test_models_that_it_is_not_for_are_refused(package, settings, message):
    with pytest.raises(ValueError, match=message):
        calibration.calibrate(factory.build(package, **settings), [counts()[1]])


def test_images_with_nothing_to_learn_from_are_refused():
    model = factory.build("n2n_tf", channels=1)
    with pytest.raises(ValueError, match="4096 pixels or more"):
        calibration.calibrate(model, [np.zeros((10, 10, 1))])
    with pytest.raises(ValueError, match="4096 pixels or more"):
        calibration.calibrate(model, [np.random.default_rng(0).random((2, 5000, 1))])
    with pytest.raises(ValueError, match="nearly all values are equal"):
        calibration.calibrate(model, [np.full((100, 100, 1), 7.0)])
    with pytest.raises(ValueError, match="NaN or infinite"):
        calibration.calibrate(model, [np.full((100, 100, 1), np.nan)])


def test_a_model_with_a_network_for_its_noise_gives_its_uncertainty_in_counts(tmp_path):
    _, noisy = counts(side=64)
    inner = factory.build("ssdn_tf", channels=1, noise="gauss5_50", noise_params="per_image")
    model = calibration.calibrate(inner, [noisy])
    result = prediction.restore(model, {"noisy": noisy})
    assert set(result) == {"denoised", "mean", "std"}
    assert (result["std"] > 0).all()
    folder = saved_models.export(model, tmp_path, name="counts")
    assert (folder / "saved_model.pb").is_file()


def test_a_model_that_must_be_told_its_noise_finds_it_behind_the_transform(tmp_path):
    clean, noisy = counts(side=192)
    inner = noise2x.load("ssdn-gauss5_50-grey")
    model = calibration.calibrate(inner, [noisy])
    assert not model.takes_level
    result = prediction.restore(model, {"noisy": noisy})
    inputs = {name: np.asarray(value)[0] for name, value in model.stable(noisy[None]).items()}
    stable = prediction.restore(inner, inputs)
    np.testing.assert_allclose(
        result["denoised"], np.asarray(model.back(stable["denoised"][None])[0])[0], rtol=1e-3
    )
    errors = [np.sqrt(np.mean((image - clean) ** 2)) for image in (noisy, result["denoised"])]
    assert errors[1] < 0.4 * errors[0], errors
    assert 0.5 < errors[1] / np.sqrt(np.mean(result["std"] ** 2)) < 2
    noise = calibrated_noise.estimate(model)
    assert noise.gain == pytest.approx(GAIN, rel=0.2)
    calibration_files.save(model, tmp_path / "c.json", noise)
    again = calibration_files.load(inner, tmp_path / "c.json")
    np.testing.assert_allclose(again.level, model.level)
    saved_models.export(model, tmp_path, name="counts")


@pytest.mark.slow
def test_exports_carry_it(calibrated, tmp_path):
    import tensorflow as tf

    model, _, noisy = calibrated
    part = noisy[None, :61, :75]
    expected = model.predict_on_batch(part)["denoised"]
    folder = saved_models.export(model, tmp_path / "saved", name="counts")
    served = tf.saved_model.load(str(folder)).signatures["serving_default"]
    result = next(iter(served(noisy=tf.constant(part)).values()))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=0.5)
    if importlib.util.find_spec("onnxruntime") is None:
        return
    import onnxruntime

    folder = saved_models.export_onnx(model, tmp_path / "onnx")
    session = onnxruntime.InferenceSession(str(folder / "serving_default.onnx"))
    (result,) = session.run(None, {"noisy": part})
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=2.0)
