"""common.noise: strings, moments, independence; alone and inside tf.data."""

import numpy as np
import pytest
import tensorflow as tf

from common import noise
from common.data import pipeline
from common.noise import bernoulli

SEED = tf.constant([3, 5])


@pytest.mark.parametrize(
    ("text", "model", "low", "high", "level"),
    [
        ("gauss25", "gauss", 25, 25, 25 / 255),
        ("gauss5_50", "gauss", 5, 50, None),
        ("gauss12.5", "gauss", 12.5, 12.5, 12.5 / 255),
        ("poisson30", "poisson", 30, 30, 30),
        ("poisson0.001_50", "poisson", 0.001, 50, None),
        ("poisson1000000", "poisson", 1e6, 1e6, 1e6),
        ("gauss0.00001", "gauss", 1e-5, 1e-5, 1e-5 / 255),
        ("gauss25.1234567", "gauss", 25.1234567, 25.1234567, 25.1234567 / 255),
        ("impulse50", "impulse", 50, 50, 0.5),
        ("impulse0_100", "impulse", 0, 100, None),
        ("bernoulli50", "bernoulli", 50, 50, 0.5),
        ("text0_50", "text", 0, 50, None),
        ("none", "none", 0, 0, 0),
        ("gauss25_clipped", "gauss", 25, 25, 25 / 255),
        ("gauss5_50_step5_clipped", "gauss", 5, 50, None),
        ("gauss0.1_0.7_step0.2", "gauss", 0.1, 0.7, None),
        ("poissongauss30+5", "poissongauss", 30, 30, 30),
        ("poissongauss5_50+2.5_clipped", "poissongauss", 5, 50, None),
        ("multigauss25", "multigauss", 25, 25, 25 / 255),
        ("camera0_55", "camera", 0, 55, None),
    ],
)
def test_a_noise_string_is_read_and_written_back(text, model, low, high, level):
    parsed = noise.parse(text)
    assert (parsed.NAME, parsed.low, parsed.high) == (model, low, high)
    assert str(parsed) == text
    if level is None:
        with pytest.raises(ValueError, match="is a range"):
            parsed.fixed_level()
    else:
        assert parsed.fixed_level() == pytest.approx(level)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaus25", "expected gauss, poisson"),
        ("gauss", "expected gauss, poisson"),
        ("gauss-5", "expected gauss, poisson"),
        ("gauss25;rm", "expected gauss, poisson"),
        ("gauss50_5", "runs downwards"),
        ("impulse150", "at most 100"),
        ("poisson0", "must be positive"),
        ("gauss5_50_step7", "a whole number of steps"),
        ("gauss25_step5", "a whole number of steps"),
        ("impulse50_clipped", "leave out _clipped"),
        ("gauss25_clip", "expected gauss, poisson"),
        ("gauss25+5", "expected gauss, poisson"),
        ("poissongauss30+", "expected gauss, poisson"),
        ("poissongauss0+5", "must be positive"),
    ],
)
def test_bad_strings_say_what_is_expected(text, message):
    with pytest.raises(ValueError, match=message):
        noise.parse(text)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 1.0])
def test_noise_has_the_mean_and_variance_of_its_model(value):
    clean = tf.fill((256, 256, 3), value)
    n = clean.shape.num_elements()
    for text, variance in (
        ("gauss25", (25 / 255) ** 2),
        ("poisson30", value / 30),
        ("poissongauss30+5", value / 30 + (5 / 255) ** 2),
        ("impulse50", 0.5 / 12 + 0.25 * (value - 0.5) ** 2),
    ):
        parsed = noise.parse(text)
        level = parsed.fixed_level()
        if text != "impulse50":
            assert parsed.variance(np.float64(value), level) == pytest.approx(variance)
        noisy = parsed.corrupt(clean, level, SEED).numpy().astype(np.float64)
        mean = 0.5 * value + 0.25 if text == "impulse50" else value
        assert abs(noisy.mean() - mean) < 6 * np.sqrt(variance / n) + 1e-6, text
        assert noisy.var() == pytest.approx(variance, rel=0.03, abs=1e-9), text


def test_noise_is_not_clipped_and_independent_between_pixels_and_channels():
    noisy = noise.Gauss(25, 25).corrupt(tf.zeros((128, 128, 3)), 0.1, SEED).numpy()
    assert noisy.min() < -0.3
    for a, b in (
        (noisy[..., 0], noisy[..., 1]),
        (noisy[1:], noisy[:-1]),
        (noisy[:, 1:], noisy[:, :-1]),
    ):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.03


def test_multivariate_noise_has_one_covariance_of_the_channels_in_an_image():
    model, clean = noise.parse("multigauss25"), tf.zeros((256, 256, 3))
    noisy = model.corrupt(clean, 25 / 255, SEED).numpy().reshape(-1, 3)
    root = model.root(3, 25 / 255, SEED).numpy()
    np.testing.assert_allclose(np.cov(noisy.T), root @ root.T, atol=3e-4)
    assert np.trace(root @ root.T) / 3 == pytest.approx((25 / 255) ** 2, rel=1e-5)
    other = model.root(3, 25 / 255, SEED + 1).numpy()
    assert np.abs(other - root).max() > 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_camera_noise_grows_with_light_and_is_shared_in_half_of_the_images(channels):
    model, level = noise.parse("camera20"), 20 / 255
    growth, shared = [], []
    for number in range(60):
        dark, bright = (
            model.corrupt(tf.fill((96, 96, channels), value), level, SEED + number).numpy() - value
            for value in (0.25, 0.75)
        )
        # The variance at middle grey is sigma^2, and what it gains with the light it lacks below.
        assert (dark.var() + bright.var()) / 2 == pytest.approx(level**2, rel=0.35), number
        growth.append(bright.std() / dark.std())
        pairs = dark[:, 1:, 0].ravel(), dark[:, :-1, 0].ravel()
        shared.append(np.corrcoef(*pairs)[0, 1])
    assert 0.95 < min(growth) < 1.15 and 1.5 < max(growth) < 1.8
    white = [abs(correlation) < 0.05 for correlation in shared]
    assert 15 < sum(white) < 45
    assert max(shared) > 0.5


def test_camera_noise_of_colours_has_no_brightness():
    model = noise.parse("camera20")
    ratios = []
    for number in range(40):
        noisy = model.corrupt(tf.fill((96, 96, 3), 0.5), 20 / 255, SEED + number).numpy() - 0.5
        ratios.append(noisy.mean(axis=-1).std() / noisy.std())
    # White noise has 1 / sqrt(3); noise of colours alone 0, and of brightness alone 1.
    assert min(ratios) < 0.52 and max(ratios) > 0.7


def test_impulse_takes_all_channels_of_a_pixel():
    clean = tf.fill((64, 64, 3), 2.0)  # a value that replacements never have
    kept = noise.Impulse(30, 30).corrupt(clean, 0.3, SEED).numpy() == 2.0
    assert (kept.all(axis=-1) == kept.any(axis=-1)).all()
    assert kept.mean() == pytest.approx(0.7, abs=0.03)


def test_integers_are_refused():
    with pytest.raises(ValueError, match="uint8.*scale it"):
        noise.parse("gauss25").corrupt(tf.zeros((4, 4, 3), tf.uint8), 0.1, SEED)


@pytest.mark.parametrize("text", ["gauss5_50", "poisson5_50", "impulse0_100"])
def test_the_same_in_tf_data_whatever_the_order(text):
    parsed = noise.parse(text)
    clean = tf.fill((8, 8, 3), 0.5)

    def draw(number):
        return pipeline.corrupt(clean, parsed, 1, number)

    alone = [tuple(x.numpy() for x in draw(tf.constant(n))) for n in range(4)]
    data = tf.data.Dataset.range(3, -1, -1).map(draw, num_parallel_calls=2)
    for (noisy, level), (other, other_level) in zip(reversed(alone), data.as_numpy_iterator()):
        np.testing.assert_array_equal(noisy, other)
        assert level == other_level
    assert len({level for _, level in alone}) == 4  # a level of its own for every image
    second, _ = pipeline.corrupt(clean, parsed, 1, 0, second=True)
    assert not np.array_equal(alone[0][0], second)


def test_lost_pixels_are_black_and_the_mask_tells_which():
    clean = tf.ones((64, 64, 3))
    noisy = noise.Bernoulli(30, 30).corrupt(clean, 0.3, SEED).numpy()
    kept = bernoulli.kept_pixels((64, 64), 0.3, SEED).numpy()
    np.testing.assert_array_equal(noisy, np.repeat(kept, 3, axis=-1).astype(np.float32))
    assert abs(kept.mean() - 0.7) < 0.03
    assert bernoulli.kept_pixels((8, 8), 0.0, SEED).numpy().all()
    assert not bernoulli.kept_pixels((8, 8), 1.0, SEED).numpy().any()


def test_clipped_noise_is_the_noise_and_clipped():
    clean = tf.random.stateless_uniform((64, 64, 3), SEED)
    free, clipped = (noise.parse(text) for text in ("gauss50", "gauss50_clipped"))
    level = free.fixed_level()
    expected = np.clip(free.corrupt(clean, level, SEED), 0, 1)
    np.testing.assert_array_equal(clipped.corrupt(clean, level, SEED), expected)
    assert np.count_nonzero((expected == 0) | (expected == 1)) > 1000
    assert str(noise.parse("gauss0_50_clipped").typical()) == "gauss25_clipped"


def test_a_range_in_steps_has_each_level_equally_often():
    steps = noise.parse("gauss5_50_step5")
    levels = [float(255 * steps.draw_level(tf.constant([0, number]))) for number in range(2000)]
    values, counts = np.unique(np.round(levels, 3), return_counts=True)
    np.testing.assert_allclose(values, np.arange(5, 51, 5), rtol=1e-5)
    assert counts.min() > 140 and counts.max() < 260
    assert str(steps.at(15)) == "gauss15"
