"""n2v_tf.data: batches are a pure function of (seed, step); what they hide; statistics."""

import dataclasses

import numpy as np
import pytest

from common.data import image_sets
from common.files import image_files
from n2v_tf import configs, data
from n2v_tf.method import METHOD

RNG = np.random.default_rng(0)
SMALL = configs.Config(data_path="x", crop_size=32, batch_size=4, perc_pix=5.0).completed()


def training_set(shape=(48, 56, 1), count=3, config=SMALL):
    made = [RNG.integers(100, 4000, shape, np.uint16) for _ in range(count)]
    mean, std = data.statistics(_image_set(made), config)
    return data.TrainingSet("x", made, list("abcdef")[:count], mean, std)


def _image_set(made):
    return image_sets.ImageSet("x", made, [str(i) for i in range(len(made))])


def take(image_set, config, start, count):
    return list(data.training_batches(image_set, config, start).take(count).as_numpy_iterator())


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((48, 56, 1), {}),
        ((48, 56, 5), {"channels": 5, "manipulator": "median"}),
        ((12, 48, 56, 2), {"channels": 2, "dims": "ZCYX", "crop_depth": 8}),
        ((48, 56, 1), {"struct_kernel": "horizontal5", "manipulator": "normal_additive"}),
    ],
)
def test_batches_start_anywhere_and_change_blind_spots_alone(shape, settings):
    config = dataclasses.replace(SMALL, **settings).completed()
    image_set = training_set(shape, config=config)
    whole = take(image_set, config, 0, 3)
    ((x, y),) = take(image_set, config, 2, 1)
    np.testing.assert_array_equal(x["noisy"], whole[2][0]["noisy"])
    np.testing.assert_array_equal(y["target"], whole[2][1]["target"])
    assert x["noisy"].shape == (4, *config.crop_shape, config.channels) == y["kept"].shape
    step = np.abs(x["noisy"] - y["target"]) > 0.1  # counts, but for rounding
    share = y["kept"].mean()
    assert 0.02 < share < 0.08 if config.spatial == 2 else 0.005 < share < 0.02
    if config.struct is None:
        assert not step[y["kept"] == 0].any()
    else:
        assert step[y["kept"] == 0].any()
    assert step[y["kept"] == 1].mean() > 0.9
    if config.channels > 1:
        assert (y["kept"][..., 0] != y["kept"][..., 1]).any()


def test_crops_are_turned_unless_that_turned_the_noise():
    ramp = np.tile(np.arange(48, dtype=np.uint16)[:, None, None] * 100, (1, 48, 1))

    def directions(config):
        crops = [data.draw_crop([ramp], config, n)[..., 0] for n in range(40)]
        return {(np.sign(c[1, 0] - c[0, 0]), np.sign(c[0, 1] - c[0, 0])) for c in crops}

    up, down, left, right = (1, 0), (-1, 0), (0, 1), (0, -1)
    assert directions(SMALL) == {up, down, left, right}
    lines = dataclasses.replace(SMALL, struct_kernel="horizontal5")
    assert directions(lines) == {up, down}
    assert directions(dataclasses.replace(SMALL, augment=False)) == {up}
    assert len(data.orientations(dataclasses.replace(SMALL, struct_kernel="3x3"))) == 8


def test_statistics_are_those_of_the_noisy_images():
    made = [RNG.integers(0, 255, (40, 40, 2), np.uint8) for _ in range(2)]
    config = dataclasses.replace(SMALL, channels=2)
    mean, std = data.statistics(_image_set(made), config)
    pixels = np.stack(made).reshape(-1, 2)
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=1e-5)
    noisy = configs.Config(noise="gauss50").completed()
    flat = _image_set([np.full((64, 64, 1), 128, np.uint8)])
    _, std = data.statistics(flat, noisy)
    assert std == pytest.approx(50 / 255, rel=0.05)


def test_constant_images_are_refused():
    with pytest.raises(ValueError, match=r"channel 1 is 50 everywhere.*constant images"):
        made = RNG.integers(0, 255, (40, 40, 2), np.uint8)
        made[..., 1] = 50
        data.statistics(_image_set([made]), dataclasses.replace(SMALL, channels=2))


@pytest.mark.parametrize("dtype", [np.float64, np.uint16, np.int8, np.uint8, bool])
def test_every_type_of_file_can_be_trained_on(tmp_path, dtype):
    low, high = (0, 2) if dtype is bool else (0, 100)
    values = RNG.integers(low, high, (40, 40)).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    config = dataclasses.replace(SMALL, data_path=str(tmp_path))
    image_set = METHOD.training_images(config)
    ((x, _),) = take(image_set, config, 0, 1)
    standard = (x["noisy"] - image_set.mean) / image_set.std
    assert np.abs(standard).max() < 10
    assert 0.5 < standard.std() < 2


def test_the_same_counts_in_another_type_are_the_same_data(tmp_path):
    values = RNG.integers(100, 300, (40, 40))
    sets = []
    for dtype in (np.uint16, np.float32, np.int16):
        np.save(tmp_path / f"{dtype.__name__}.npy", values.astype(dtype))
        config = dataclasses.replace(SMALL, data_path=str(tmp_path / f"{dtype.__name__}.npy"))
        sets.append(METHOD.training_images(config))
    assert len({float(s.mean[0]) for s in sets}) == 1
    assert sets[0].mean[0] == pytest.approx(values.mean())
    other = dataclasses.replace(sets[0], mean=sets[0].mean * 5)
    assert other.fingerprint() != sets[0].fingerprint()


def test_validation_hides_the_same_pixels_of_all_channels():
    array = RNG.random((2, 32, 32, 3)).astype(np.float32)
    config = dataclasses.replace(SMALL, channels=3)
    x, y = data.hidden_once(array, np.zeros(3), np.ones(3), config)
    np.testing.assert_array_equal(y["kept"][..., 0], y["kept"][..., 2])
    np.testing.assert_array_equal((x["noisy"] != y["target"]) & (y["kept"] == 0), False)
    again, _ = data.hidden_once(array, np.zeros(3), np.ones(3), config)
    np.testing.assert_array_equal(x["noisy"], again["noisy"])


def test_channels_that_do_not_fit_are_named(tmp_path):
    image_files.write(tmp_path / "a.tif", RNG.integers(0, 255, (40, 40, 3), np.uint8))
    config = dataclasses.replace(SMALL, data_path=str(tmp_path))
    with pytest.raises(ValueError, match="3 channels, this model is for 1"):
        METHOD.training_images(config)


def test_noise_that_is_drawn_once_stays_with_its_image():
    image = RNG.integers(0, 255, (32, 32, 1), np.uint8)
    image_set = image_sets.ImageSet("a", [image], ["a"])
    for redraw in (True, False):
        config = dataclasses.replace(
            configs.Config(crop_size=32, batch_size=1, perc_pix=5.0, augment=False),
            noise="gauss25",
            redraw_noise=redraw,
        ).completed()
        images = image_set if redraw else data.with_fixed_noise(image_set, config)
        images = data.with_statistics(images, config)
        (_, first), (_, second) = take(images, config, 0, 2)
        assert np.array_equal(first["target"], second["target"]) == (not redraw)
        noise = first["target"][0] - image / np.float32(255)
        assert noise.std() == pytest.approx(25 / 255, rel=0.1)
        assert images.std[0] == pytest.approx(float(np.std(first["target"])), rel=0.02)
