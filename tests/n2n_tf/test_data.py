"""n2n_tf.data: pairs of acquisitions, images smaller than the crop, lost pixels and their mask."""

import numpy as np
import pytest
import tifffile

from common.data import image_sets, pairs
from common.files import image_files
from common.files.errors import ImageError
from n2n_tf import configs, data
from n2n_tf.method import METHOD

RNG = np.random.default_rng(0)


def config(**settings):
    return configs.Config(**{"crop_size": 32, "batch_size": 2} | settings).completed()


def take(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


def scene(acquisitions, shape=(48, 40, 1), shift=0):
    """Acquisitions that tell where they come from: pixel = place, plus 10,000 per acquisition."""
    place = np.arange(np.prod(shape[:2])).reshape(*shape[:2], 1) * np.ones(shape)
    return np.stack([place + 10_000 * k + shift for k in range(acquisitions)]).astype(np.float32)


def test_pairs_are_one_crop_of_two_different_acquisitions(tmp_path):
    for i in range(3):
        image_files.write(tmp_path / f"{i}.tif", scene(2 + i))
    settings = config(pairs=str(tmp_path), channels=1)
    scenes = data.training_images(settings, None, None)
    assert [len(s) for s in scenes.images] == [2, 3, 4]
    seen = set()
    for x, y in take(data.training_batches(scenes, settings, 0), 20):
        assert "clean" not in y
        difference = (x["noisy"] - y["target"]) / 10_000
        for one in difference:
            assert np.ptp(one) < 1e-3 and abs(one.mean()) > 0.9
            seen.add(round(float(one.mean())))
    assert {-1, 1, 2} <= seen  # either may be the target, not only neighbours
    again = take(data.training_batches(scenes, settings, 3), 1)[0]
    whole = take(data.training_batches(scenes, settings, 0), 4)[3]
    np.testing.assert_array_equal(again[0]["noisy"], whole[0]["noisy"])
    np.testing.assert_array_equal(again[1]["target"], whole[1]["target"])


def test_pairs_in_sub_folders_and_what_is_wrong_with_them(tmp_path, caplog):
    for name, sizes in {
        "good": [(40, 40), (40, 40)],
        "unequal": [(40, 40), (40, 48)],
        "lone": [(40, 40)],
    }.items():
        for k, size in enumerate(sizes):
            pixels = RNG.integers(0, 255, (*size, 1), np.uint8)
            image_files.write(tmp_path / name / f"{k}.png", pixels)
    (tmp_path / "empty").mkdir()
    scenes = pairs.load_pairs(str(tmp_path))
    assert scenes.names == ["good"]
    for words in ("1.png: (40, 48, 1)", "0.png: a lone acquisition", "no images in this folder"):
        assert words in caplog.text
    assert "3 bad of 4" in caplog.text
    with pytest.raises(ImageError, match="no such folder"):
        pairs.load_pairs(str(tmp_path / "none"))
    examples = list(METHOD.validation_examples(config(pairs=str(tmp_path), channels=1))())
    assert [(name, clean) for name, clean, _ in examples] == [("good", None)]


def test_stacks_that_are_no_plain_series_are_named(tmp_path, caplog):
    pixels = RNG.integers(0, 255, (2, 5, 40, 40), np.uint8)
    tifffile.imwrite(tmp_path / "deep.tif", pixels, imagej=True, metadata={"axes": "TZYX"})
    np.save(tmp_path / "stack.npy", scene(3)[..., 0])
    scenes = pairs.load_pairs(str(tmp_path))
    assert scenes.names == ["stack"] and scenes.images[0].shape == (3, 48, 40, 1)
    assert "deep.tif: axes TZ besides Y and X; which of them counts" in caplog.text


def test_files_beside_sub_folders_and_scenes_mixed_up_are_named(tmp_path, caplog):
    smooth = np.cumsum(np.cumsum(RNG.standard_normal((2, 64, 64, 1)), axis=1), axis=2)
    for k, image in enumerate((smooth - smooth.min()) / np.ptp(smooth)):
        image_files.write(tmp_path / "mixed" / f"{k}.tif", image.astype(np.float32))
        noisy = smooth[0] / np.ptp(smooth[0]) + 0.5 * RNG.standard_normal(smooth[0].shape)
        image_files.write(tmp_path / "right" / f"{k}.tif", noisy.astype(np.float32))
    image_files.write(tmp_path / "loose.png", RNG.integers(0, 255, (40, 40, 1), np.uint8))
    assert pairs.load_pairs(str(tmp_path)).names == ["mixed", "right"]
    assert "loose.png: a lone file beside sub-folders" in caplog.text
    likeness = pairs._likeness(*smooth)
    assert ("do not resemble each other" in caplog.text) == (likeness < pairs.MIN_LIKENESS)
    assert "right: its acquisitions" not in caplog.text


def test_colour_pairs_are_not_mixed_to_grey(tmp_path):
    image_files.write(tmp_path / "a.tif", RNG.integers(0, 255, (2, 40, 40, 3), np.uint8))
    settings = config(pairs=str(tmp_path), channels=1)
    with pytest.raises(ImageError, match="3 channels, expected 1"):
        data.training_batches(data.training_images(settings, None, None), settings, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_small_images_are_enlarged_to_the_crop(dtype):
    top = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    small = (np.linspace(0.2, 0.8, 20)[:, None, None] * np.ones((20, 50, 3)) * top).astype(dtype)
    enlarged = data.enlarge(small, 32)
    assert enlarged.shape == (32, 32, 3) and enlarged.dtype == dtype
    assert enlarged.mean(dtype=np.float64) == pytest.approx(0.5 * top, rel=0.01)
    assert enlarged[0].mean() < 0.25 * top and enlarged[-1].mean() > 0.75 * top
    large = np.zeros((32, 40, 3), dtype)
    assert data.enlarge(large, 32) is large


def test_the_mask_of_lost_pixels_is_the_targets():
    picture = RNG.integers(50, 255, (64, 64, 3), np.uint8)
    image_set = image_sets.ImageSet("one", [picture], ["a"])
    settings = config(noise="bernoulli0_95")
    x, y = take(data.training_batches(image_set, settings, 0), 1)[0]
    np.testing.assert_allclose(y["target"], y["clean"] * y["kept"])
    lost = (x["noisy"] == 0).all(axis=-1, keepdims=True)
    assert (lost != (y["kept"] == 0)).any()  # another draw than the input's
    clean, y = take(
        data.training_batches(image_set, config(noise="bernoulli50", targets="clean"), 0), 1
    )[0]
    assert (y["kept"] == 1).all() and (clean["noisy"] == 0).any()


def test_noise_and_targets_are_independent_noise_on_one_crop():
    image_set = image_sets.ImageSet("one", [np.full((64, 64, 3), 128, np.uint8)], ["a"])
    x, y = take(data.training_batches(image_set, config(noise="gauss25"), 0), 1)[0]
    a, b = x["noisy"] - y["clean"], y["target"] - y["clean"]
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.05
