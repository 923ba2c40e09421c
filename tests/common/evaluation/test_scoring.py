"""common.evaluation, baselines and figures: fixed noise, fair scores, readable pictures."""

import dataclasses
import functools
import math

import numpy as np
import pytest

from common import noise
from common.data import image_sets
from common.evaluation import baselines, example_images, figures, quality, scoring
from common.files import image_files
from common.files.errors import ImageError
from noise2x import methods

RNG = np.random.default_rng(0)
SET = image_sets.ImageSet(
    "two", [RNG.integers(0, 255, (40, 48, 3), np.uint8) for _ in range(2)], ["a", "b"]
)


def noisy_images(channels, **settings):
    """Examples of SSDN, which are those of Method: Gaussian noise on clean images."""
    method = methods.find("ssdn_tf")
    config = dataclasses.replace(method.default_config, channels=channels)
    return list(method.examples(SET, config, noise=noise.Gauss(25, 25), **settings))


def test_the_noise_is_the_same_every_time_and_another_at_every_repeat():
    first, second = (noisy_images(3, repeats=2) for _ in range(2))
    for (_, _, a), (_, _, b) in zip(first, second):
        np.testing.assert_array_equal(a["noisy"], b["noisy"])
    assert not np.array_equal(first[0][2]["noisy"], first[2][2]["noisy"])
    other = noisy_images(3, seed=1)
    assert not np.array_equal(first[0][2]["noisy"], other[0][2]["noisy"])
    assert first[0][0] == "a" and len(first) == 4


def test_inputs_that_go_on_beyond_the_borders_of_clean_images():
    """As SSDN's original evaluates: reflected to one square of the set, then the noise drawn."""
    method = methods.find("ssdn_tf")
    low = image_sets.ImageSet("two", [SET.images[0], SET.images[1][:33, :65]], ["low", "lower"])
    examples = functools.partial(
        method.examples, config=method.default_config, noise=noise.Gauss(25, 25), repeats=2
    )
    found = list(example_images.seen_beyond_borders(examples, low, multiple=32, repeats=2))
    assert [name for name, _, _ in found] == 2 * ["low", "lower"]
    for (_, clean, inputs), image in zip(found, 2 * low.images):
        np.testing.assert_allclose(clean, image / 255, atol=1e-6)
        noisy = inputs["noisy"]
        assert noisy.shape == (64, 64, 3)
        assert quality.psnr(clean, noisy[: len(clean), : clean.shape[1]]) < 22
        reflected = noisy[: len(clean), : clean.shape[1]][-2::-1][: 64 - len(clean)]
        noise_twice = noisy[len(clean) :, : clean.shape[1]] - reflected
        assert noise_twice.std() == pytest.approx(2**0.5 * 25 / 255, rel=0.05)


def test_scores_are_means_over_images():
    examples = noisy_images(1)
    scores = scoring.Scores()
    for _, clean, inputs in examples:
        scores.add(clean, inputs["noisy"])
    expected = np.mean([quality.psnr(clean, inputs["noisy"]) for _, clean, inputs in examples])
    assert f"psnr={expected:.3f}" in scores.line("two", "gauss25")
    assert scores.line("two", "gauss25").startswith("RESULT dataset=two noise=gauss25 images=2 ")


def test_calibration_is_one_for_true_deviations():
    clean = np.zeros((64, 64, 3))
    for factor in (1.0, 2.0):
        calibration = scoring.Calibration()
        error = 0.1 * factor * RNG.standard_normal(clean.shape)
        calibration.add(clean, {"denoised": error, "std": np.full(clean.shape, 0.1)})
        assert calibration.ratio == pytest.approx(factor, rel=0.03)
        expected = [math.erf(k / factor / 2**0.5) for k in (1, 2)]
        assert calibration.coverage == pytest.approx(expected, abs=0.02)
    assert f"Errors are {calibration.ratio:.2f} times" in str(calibration)
    assert str(scoring.Calibration()) == ""


def smooth(channels):
    y, x = np.mgrid[:64, :64] / 64
    return np.stack([0.5 + 0.3 * np.sin(6 * y + c) * np.cos(5 * x) for c in range(channels)], -1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["mean", "median", "non_local_means"])
def test_baselines_denoise(name, channels):
    clean = smooth(channels).astype(np.float32)
    noisy = clean + 0.1 * RNG.standard_normal(clean.shape).astype(np.float32)
    restored = baselines.available([name])[name](noisy, 0.1)
    assert restored.shape == clean.shape
    assert quality.psnr(clean, restored) > quality.psnr(clean, noisy) + 4


@pytest.mark.parametrize("channels", [1, 3])
def test_bm3d_where_it_is_installed(channels):
    pytest.importorskip("bm3d", reason="the extra `baselines` is not installed")
    clean = smooth(channels).astype(np.float32)
    noisy = clean + 0.1 * RNG.standard_normal(clean.shape).astype(np.float32)
    restored = baselines.available(["bm3d"])["bm3d"](noisy, 0.1)
    assert quality.psnr(clean, restored) > quality.psnr(clean, noisy) + 8


def test_unknown_baselines_are_named():
    with pytest.raises(ImageError, match="'wavelets': expected noisy, mean, median"):
        baselines.available(["wavelets"])


def test_a_contact_sheet_holds_all_pictures():
    clean = smooth(3).astype(np.float32)
    result = {"denoised": clean, "std": 0.1 * clean}
    rows = [scoring.sheet_row(name, clean, clean, result) for name in "ab"]
    sheet = np.asarray(figures.contact_sheet(rows, crop=(32, 48)))
    assert sheet.shape[0] >= 2 * 32 and sheet.shape[1] >= 4 * 48
    picture = np.asarray(figures.to_picture(clean))[16:48, 8:56]
    np.testing.assert_array_equal(sheet[6 : 6 + 32, 6 : 6 + 48], picture)
    unscored = scoring.sheet_row("a", None, clean, result)
    assert [text for text, _ in unscored] == ["a: noisy", "denoised", "predicted std"]


def test_curves_are_drawn(tmp_path):
    rows = [{"images": str(i), "loss": str(1 / i), "psnr": str(20 + i)} for i in range(1, 5)]
    figures.save_curves(rows, tmp_path / "curves.png")
    assert image_files.read_one(tmp_path / "curves.png").std() > 5


def test_a_training_can_be_validated_on_all_images_whole(tmp_path):
    """By default on the middle of four; the sheet shows four in any case."""
    method = methods.find("ssdn_tf")
    for number in range(6):
        picture = np.full((300, 280, 3), 20 * number, np.uint8)
        image_files.write(tmp_path / f"{number}.png", picture)
    for validate_on, count, sides in (("few", 4, (256, 256)), ("all", 6, (300, 280))):
        config = dataclasses.replace(
            method.default_config, validation_set=str(tmp_path), validate_on=validate_on
        ).completed()
        examples = list(method.validation_examples(config)())
        assert len(examples) == count
        assert {clean.shape[:2] for _, clean, _ in examples} == {sides}


def test_a_change_is_measured_beside_what_the_noise_explains():
    y, x = np.mgrid[:96, :96] / 96.0
    clean = np.stack([100 * x, 80 * y, 50 * x * y], axis=-1)
    noisy = (clean + RNG.normal(0, 10, clean.shape)).astype(np.float32)
    restored = scoring.change_of(noisy, clean)
    assert restored["change"] == pytest.approx(10, rel=0.05)
    assert 18 < restored["explained"] < 24  # twice the noise, and a little
    spoilt = scoring.change_of(noisy, clean + 40)
    assert spoilt["change"] > spoilt["explained"]
    assert scoring.change_of(noisy, np.repeat(clean, 2, axis=0)) == {}
    assert scoring.change_of(noisy[:8], clean[:8]) == {}
