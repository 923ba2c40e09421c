"""n2v_tf.configs: lengths, presets, kernels, and what can't be."""

import numpy as np
import pytest

from common import noise
from n2v_tf import configs


def test_defaults_are_juglabs_with_the_papers_schedule():
    c = configs.Config(data_path="x", schedule="paper").completed()
    assert (c.num_images, c.batch_size, c.learning_rate) == (100 * 400 * 16, 16, 4e-4)
    assert (c.crop_shape, c.kernel_size, c.depth, c.width) == ((64, 64), 5, 2, 32)
    assert (c.loss, c.perc_pix, c.manipulator, c.radius) == ("mae", 1.5, "uniform_withCP", 5)
    assert str(c.noise) == "none"
    assert configs.Config().completed().noise == noise.Gauss(25, 25)


def test_own_files_have_the_fast_schedule_where_it_was_measured():
    c = configs.Config(data_path="x", num_images=16 * 8000).completed()
    assert (c.schedule, c.learning_rate, c.perc_pix) == ("fast", 1e-3, 5.0)
    assert configs.Config(data_path="x", perc_pix=2.0).completed().perc_pix == 2.0
    for settings in ({"dims": "ZYX"}, {"struct_kernel": "horizontal11"}):
        c = configs.Config(data_path="x", **settings).completed()
        assert (c.schedule, c.learning_rate, c.perc_pix) == ("paper", 4e-4, 1.5)
    assert configs.NAMED["n2v-bsd68"].completed().schedule == "paper"


def test_epochs_and_steps_make_the_length_and_images_overrule_them():
    c = configs.Config(epochs=3, steps_per_epoch=5, batch_size=2)
    assert c.completed().num_images == 30
    assert configs.Config(epochs=3, num_images=99).completed().num_images == 99


def test_an_axis_z_makes_it_3d():
    c = configs.Config(dims="ZYX", data_path="x").completed()
    assert (c.spatial, c.crop_shape, c.kernel_size) == (3, (16, 64, 64), 3)
    assert configs.Config(crop_depth=8).spatial == 3
    assert configs.Config(dims="TYXC", data_path="x").spatial == 2
    assert (c.white_level, configs.Config().completed().white_level) == (1.0, 0.0)


@pytest.mark.parametrize("name", configs.NAMED)
def test_named_configurations_are_whole(name):
    c = configs.NAMED[name].completed()
    assert None not in (c.num_images, c.kernel_size, c.noise, c.validation_set)
    assert c.blurpool == c.skip_skipone == ("n2v2" in name)
    assert (c.struct is not None) == ("struct" in name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("horizontal5", np.ones((1, 5))),
        ("vertical3", np.ones((3, 1))),
        ("1x7", np.ones((1, 7))),
        ("3x1x1", np.ones((3, 1, 1))),
        ("010/111/010", [[0, 1, 0], [1, 1, 1], [0, 1, 0]]),
        ("000/010/000|010/111/010|000/010/000", None),
    ],
)
def test_kernels_are_read_and_written(text, expected):
    kernel = configs.parse_kernel(text)
    if expected is not None:
        np.testing.assert_array_equal(kernel, expected)
    np.testing.assert_array_equal(configs.parse_kernel(configs.format_kernel(kernel)), kernel)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"struct_kernel": "horizontal4"}, "1x4; its sides must be odd"),
        ({"struct_kernel": "10/11"}, "2x2; its sides must be odd"),
        ({"struct_kernel": "111/11"}, "rows of unequal length"),
        ({"struct_kernel": "000/010/000"}, "nothing beside the centre"),
        ({"struct_kernel": "wide"}, "expected horizontal11"),
        ({"struct_kernel": "3x1x1"}, "three sides, images have two"),
        ({"perc_pix": 0.01}, "0.41 blind spots in a crop of 64x64"),
        ({"perc_pix": 101.0}, "at most 100 per cent"),
        ({"perc_pix": 0.0}, "perc_pix=0.0: expected more than 0"),
        ({"dims": "XZ"}, "dims='XZ': expected Y and X"),
        ({"dims": "YXY"}, "each once"),
        ({"dims": "YX", "crop_depth": 8, "data_path": "a"}, "no Z there"),
        ({"dims": "YX"}, "are for files of your own: give data_path"),
        ({"data_path": "a", "train_set": "b"}, "give one"),
        ({"crop_depth": 8, "precision": "bfloat16"}, "gradients of 3D convolutions are wrong"),
        ({"crop_depth": 6}, "expected a multiple of 4"),
        ({"crop_size": 62}, "crop_size=62: expected a multiple of 4"),
        ({"kernel_size": 4}, "expected an odd number"),
        ({"manipulator": "mode"}, "expected uniform_withCP"),
        ({"loss": "l1"}, "expected mae, mse"),
        ({"channels": 0}, "channels=0: expected 1, 2, 3"),
        ({"epochs": 0}, "epochs=0: expected 1 or more"),
        ({"data_path": "a", "noise": "gauss25"}, "your files are noisy already"),
        ({"noise": "none"}, "give your noisy files as data_path"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)
