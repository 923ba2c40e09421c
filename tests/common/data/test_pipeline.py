"""common.pipeline: batches are a pure function of (seed, step), images stay as stored."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from common import configuration
from common import noise as noises
from common.data import image_sets, pipeline
from common.files import pixels
from common.files.errors import ImageError
from ssdn_tf import configs as ssdn_configs


class Config(configuration.Config):
    NOISES = noises.MODELS


def config(**changes):
    settings = {
        "noise": "gauss25",
        "channels": 3,
        "crop_size": 32,
        "batch_size": 2,
        "seed": 1,
        "white_level": 0.0,
    }
    return Config(**settings | changes)


def image_set(count=5, size=48, channels=3):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (size, size + 8, channels), np.uint8) for _ in range(count)]
    return image_sets.ImageSet("test", pictures, [f"{i}.png" for i in range(count)])


def take(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def assert_equal(a, b):
    (x, y), (other_x, other_y) = a, b
    for name in x:
        np.testing.assert_array_equal(x[name], other_x[name])
    for name in y:
        np.testing.assert_array_equal(y[name], other_y[name])


def test_starting_in_the_middle_gives_the_same_batches():
    whole = take(pipeline.training_batches(image_set(), config()), 6)
    rest = take(pipeline.training_batches(image_set(), config(), start=4), 2)
    for a, b in zip(whole[4:], rest):
        assert_equal(a, b)


def test_examples_do_not_depend_on_the_batch_size():
    pairs = take(pipeline.training_batches(image_set(), config()), 2)
    (four,) = take(pipeline.training_batches(image_set(), config(batch_size=4)), 1)
    joined = np.concatenate([x["noisy"] for x, _ in pairs])
    np.testing.assert_array_equal(joined, four[0]["noisy"])
    np.testing.assert_array_equal(four[0]["number"], [0, 1, 2, 3])


def test_another_seed_gives_other_crops_and_noise():
    a, b = (take(pipeline.training_batches(image_set(), config(seed=s)), 1)[0] for s in (1, 2))
    assert not np.array_equal(a[1]["clean"], b[1]["clean"])
    assert not np.array_equal(a[0]["noisy"] - a[1]["clean"], b[0]["noisy"] - b[1]["clean"])


def test_every_image_is_drawn_once_before_any_is_drawn_again():
    flat = [np.full((32, 32, 3), i, np.uint8) for i in range(5)]
    order = [round(255 * pipeline.draw_crop(flat, config(), n)[0, 0, 0]) for n in range(15)]
    epochs = [order[i : i + 5] for i in (0, 5, 10)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_targets_are_the_input_the_clean_crop_or_other_noise():
    def batch(targets):
        data = pipeline.training_batches(image_set(), config(), targets=targets)
        return take(data, 1)[0]

    x, y = batch("noisy")
    np.testing.assert_array_equal(x["noisy"], y["target"])
    np.testing.assert_allclose(x["noise_level"], 25 / 255, rtol=1e-6)
    x, y = batch("clean")
    np.testing.assert_array_equal(y["clean"], y["target"])
    x, y = batch("second")
    errors = [x["noisy"] - y["clean"], y["target"] - y["clean"]]
    assert abs(np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1]) < 0.05
    assert errors[1].std() == pytest.approx(25 / 255, rel=0.05)


def test_really_noisy_images_come_as_they_are_without_a_clean_one():
    x, y = take(pipeline.training_batches(image_set(), config(noise="none")), 1)[0]
    assert set(y) == {"target"}
    assert set(np.unique(np.round(x["noisy"] * 255, 4))) <= set(range(256))
    with pytest.raises(ValueError, match="no clean targets"):
        pipeline.training_batches(image_set(), config(noise="none"), targets="clean")


def test_images_stay_in_their_own_type_and_are_not_copied():
    stored = image_set()
    usable = pipeline.usable_for_crops(stored, config())
    assert all(np.shares_memory(a, b) for a, b in zip(stored.images, usable.images))
    assert all(image.dtype == np.uint8 for image in usable.images)


def test_channels_are_converted_a_crop_at_a_time():
    stored = image_set()
    usable = pipeline.usable_for_crops(stored, config(channels=1))
    assert all(np.shares_memory(a, b) for a, b in zip(stored.images, usable.images))
    grey = [pixels.to_channels(image, 1) for image in stored.images]
    for number in range(4):
        np.testing.assert_array_equal(
            pipeline.draw_crop(stored.images, config(channels=1), number),
            pipeline.draw_crop(grey, config(channels=1), number),
        )


def test_sixteen_bit_images_are_scaled_by_their_range():
    deep = [np.full((32, 32, 1), 65535, np.uint16)]
    crop = pipeline.draw_crop(deep, config(channels=1), 0)
    assert crop.dtype == np.float32
    assert (crop == 1.0).all()


def test_crops_larger_than_every_image_are_refused_with_the_largest():
    with pytest.raises(ValueError, match="crop_size=64: crops of 64x64 are larger .*48x56"):
        pipeline.training_batches(image_set(), config(crop_size=64))


def test_smaller_images_are_left_out(caplog):
    mixed = image_set()
    mixed.images[2] = mixed.images[2][:20]
    usable = pipeline.usable_for_crops(mixed, config())
    assert len(usable) == 4
    assert "2.png" not in usable.names


def test_channels_of_real_noise_are_not_mixed():
    with pytest.raises(ImageError, match="0.png: 1 channels, expected 3"):
        pipeline.training_batches(image_set(channels=1), config(noise="none"))


def test_real_images_of_other_channels_are_left_out_and_named(caplog):
    mixed = image_set()
    mixed.images[1] = mixed.images[1][..., :1]
    usable = pipeline.usable_for_crops(mixed, config(noise="none"))
    assert len(usable) == len(mixed) - 1 and mixed.names[1] not in usable.names
    assert f"do not have 3 channels and are left out: {mixed.names[1]}." in caplog.text
    assert len(pipeline.usable_for_crops(mixed, config())) == len(
        mixed
    )  # noise is added: converted


def test_evaluation_noise_is_fixed_and_not_the_trainings():
    clean = np.full((16, 16, 3), 0.5, np.float32)
    parsed = noises.parse("gauss25")
    first, level = pipeline.evaluation_noise(clean, parsed, 0, 3)
    again, _ = pipeline.evaluation_noise(clean, parsed, 0, 3)
    training, _ = pipeline.corrupt(tf.constant(clean), parsed, 0, 3)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, training)
    assert level == pytest.approx(25 / 255)


def growing(**changes):
    settings = {"schedule": "fast", "crop_growth": 2, "crop_size": 32, "batch_size": 2}
    return ssdn_configs.Config(num_images=40, **settings | changes).completed()


def test_batches_end_where_crops_grow_and_go_on_with_larger_ones():
    settings = growing()
    (small, large) = settings.crop_stages()
    images = image_set(size=70)
    before = list(pipeline.training_batches(images, settings, start=small.end - 2))
    assert [x["noisy"].shape for x, _ in before] == [(2, 32, 32, 3)] * 2
    x, y = take(pipeline.training_batches(images, settings, start=small.end), 1)[0]
    assert x["noisy"].shape == y["target"].shape == (2, 64, 64, 3)
    assert list(x["number"]) == [2 * small.end, 2 * small.end + 1]


@pytest.mark.parametrize("sizes, kept, size", [((70, 40, 70), 2, 64), ((70, 40, 40), 3, 32)])
def test_small_images_are_left_out_of_large_crops_or_the_crops_stay(sizes, kept, size, caplog):
    pictures = [np.zeros((n, n + 5, 3), np.uint8) for n in sizes]
    images = image_sets.ImageSet("mixed", pictures, [str(n) for n in range(3)])
    found, side = pipeline.grown(images, growing(), 19)
    assert (len(found), side) == (kept, size)
    assert ("crops grow to 32x32 only, not 64x64" in caplog.text) == (size == 32)


def test_augmented_crops_are_the_same_crops_turned_and_mirrored():
    rng = np.random.default_rng(0)
    images = image_sets.ImageSet("a", [rng.integers(0, 256, (40, 40, 3), np.uint8)], ["a"])
    plain = ssdn_configs.Config(
        noise="gauss0", crop_size=32, batch_size=32, num_images=64
    ).completed()
    crops, turned = (
        next(iter(pipeline.training_batches(images, config, targets="clean")))[1]["clean"].numpy()
        for config in (plain, dataclasses.replace(plain, augment=True))
    )
    ways = set()
    for crop, other in zip(crops, turned):
        (way,) = (
            i
            for i, orientation in enumerate(pixels.ORIENTATIONS)
            if np.array_equal(pixels.orient(crop, *orientation), other)
        )
        ways.add(way)
    assert ways == set(range(8))


def test_edges_hide_up_to_31_pixels_of_half_of_the_crops_on_the_right_and_below():
    def insides(seed):
        settings = {"schedule": "fast", "crop_size": 64, "num_images": 400, "seed": seed}
        wanted = ssdn_configs.Config(noise="gauss25", batch_size=4, **settings).completed()
        assert wanted.edges  # what the fast schedule has for blind-spot networks
        batches = pipeline.training_batches(image_set(size=80), wanted)
        return np.concatenate([x["inside"] for x, _ in take(batches, 100)])

    inside = insides(1)
    np.testing.assert_array_equal(insides(1), inside)
    assert (insides(2) != inside).any()
    assert inside[:, :33, :33].all() and set(np.unique(inside)) == {0, 1}
    for axis in (1, 2):
        hidden = 64 - inside.max(axis=3 - axis)[..., 0].sum(axis=1)
        assert hidden.max() == 31 and 0.4 < np.mean(hidden == 0) < 0.65
        # What is hidden is a strip at the end.
        assert (np.diff(inside, axis=axis) <= 0).all()


def test_edges_are_the_fast_schedules_of_blind_spot_networks_alone():
    assert not ssdn_configs.Config(noise="gauss25").completed().edges
    plain = ssdn_configs.Config(noise="gauss25", schedule="fast", pipeline="n2n", num_images=4)
    assert not plain.completed().edges
    with pytest.raises(ValueError, match="edges: are for SSDN's blind-spot networks"):
        dataclasses.replace(plain, edges=True)
