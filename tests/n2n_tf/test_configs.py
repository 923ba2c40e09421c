"""n2n_tf.configs: what the papers leave open follows from the noise; contradictions are refused."""

import json

import pytest

from common import processor
from common.training import runs
from n2n_tf import configs
from n2n_tf.method import METHOD


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gaussian-n2n", ("gauss0_50", "gauss25", "noisy", "l2", 1_200_000, 0.3)),
        ("gaussian-n2c", ("gauss0_50", "gauss25", "clean", "l2", 1_200_000, 0.3)),
        ("poisson-n2n", ("poisson0.001_50", "poisson30", "noisy", "l2", 1_200_000, 0.3)),
        ("poisson-n2c-long", ("poisson0.001_50", "poisson30", "clean", "l2", 2_000_000, 0.5)),
        ("text-n2n", ("text0_50", "text25", "noisy", "l1", 1_200_000, 0.3)),
        ("impulse-n2n", ("impulse0_95", "impulse50", "noisy", "l0", 1_200_000, 0.3)),
        ("bernoulli-n2n", ("bernoulli0_95", "bernoulli50", "noisy", "masked_l2", 1_200_000, 0.3)),
    ],
)
def test_named_configurations_are_the_papers(name, expected):
    c = configs.NAMED[name].completed()
    settings = (str(c.noise), str(c.validation_noise), c.targets, c.loss, c.num_images, c.ramp_down)
    assert settings == expected
    assert (c.optimizer, c.learning_rate, c.batch_size, c.crop_size) == ("adam", 3e-4, 4, 256)
    assert c.validation_set == "sample"


def test_sequential_networks_are_trained_by_gradient_descent():
    c = configs.NAMED["gaussian-n2n-nn_relu"].completed()
    assert (c.optimizer, c.learning_rate, c.ramp_down, c.crop_size) == ("sgd", 0.1, 0.0, 32)
    assert configs.Config(network="nn_relu", crop_size=20).crop_size == 20
    assert configs.Config(network="nn_relu", optimizer="adam").completed().optimizer == "adam"


def test_pairs_are_noisy_already():
    c = configs.Config(pairs="folder").completed()
    assert (str(c.noise), c.validation_set, c.loss) == ("none", "folder", "l2")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": "none"}, "noise='none': Noise2Noise then needs --pairs=FOLDER"),
        ({"pairs": "x", "noise": "gauss25"}, "the pairs are noisy already"),
        ({"pairs": "x", "targets": "clean"}, "the pairs are noisy already"),
        ({"pairs": "x", "train_set": "kodak"}, "pairs='x' with train_set='kodak': give one"),
        (
            {"noise": "gauss25", "validation_noise": "none"},
            "the validation needs noise too",
        ),
        ({"network": "resnet"}, "network='resnet': expected unet, nn_relu"),
        ({"loss": "l3"}, "loss='l3': expected"),
        ({"loss": "masked_l2"}, "it is for bernoulli"),
        ({"noise": "spectrum2.5"}, "noise='spectrum2.5': expected gauss, poisson"),
        ({"noise": "text95"}, "per cent of pixels covered, at most 90"),
        ({"noise": "bernoulli101"}, "per cent of pixels lost, at most 100"),
        ({"ramp_down": 1.5}, "ramp_down=1.5: expected 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: expected more than 0"),
        ({"crop_size": 50}, "crop_size=50: expected a multiple of 32"),
        ({"crop_size": 50, "network": "nn_relu"}, "crop_size=50: expected a multiple of 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)


@pytest.mark.parametrize(
    ("settings", "schedule", "optimizer", "rate"),
    [
        ({"num_images": 4000}, "fast", "muon", 1e-3),
        ({"network": "nn_relu", "optimizer": "adam", "num_images": 4000}, "fast", "adam", 1e-3),
        ({"network": "nn_relu"}, "paper", "sgd", 0.1),
        ({"optimizer": "sgd"}, "paper", "sgd", 3e-4),
        ({"schedule": "paper"}, "paper", "adam", 3e-4),
    ],
)
def test_the_schedule_for_pairs_of_ones_own(settings, schedule, optimizer, rate):
    config = configs.Config(pairs="folder", **settings).completed()
    assert (config.schedule, config.optimizer, config.learning_rate) == (schedule, optimizer, rate)


def test_a_run_of_before_there_was_a_choice_keeps_the_papers_schedule(tmp_path):
    runs.save_config(tmp_path, "n2n_tf", configs.Config(pairs="folder", num_images=8))
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    del content["config"]["schedule"], content["config"]["learning_rate"]
    path.write_text(json.dumps(content))
    config, _ = METHOD.load_config(tmp_path)
    assert (config.schedule, config.learning_rate) == ("paper", 3e-4)


def test_what_was_measured_restores_in_bfloat16_and_nothing_else(monkeypatch):
    monkeypatch.setattr(processor, "fast_precision", lambda: "bfloat16")
    added, pairs = configs.Config().completed(), configs.Config(pairs="folder").completed()
    assert METHOD.restoring_precision(added) == "bfloat16"
    assert METHOD.restoring_precision(pairs) == "float32"


def test_crops_grow_where_the_network_has_to_tell_how_strong_the_noise_is():
    for noise, growth in (("gauss0_55", 4), ("gauss25", 1), (None, 4)):
        config = configs.Config(noise=noise, crop_size=64, schedule="fast").completed()
        assert config.crop_growth == growth
    assert configs.Config(pairs="folder").completed().crop_growth == 1
    assert configs.Config(noise="gauss0_55", crop_size=64).completed().crop_growth == 1  # paper
