"""ssdn_tf.configs: the names, what they mean, and contradictions."""

import itertools

import pytest

from ssdn_tf import configs
from ssdn_tf.method import METHOD

REFERENCE = (
    [
        f"{noise}-{pipeline}"
        for noise in (
            "gauss25",
            "gauss5_50",
            "poisson30",
            "poisson5_50",
            "impulse50",
            "impulse0_100",
        )
        for pipeline in ("n2c", "n2n", "blindspot_mean")
    ]
    + [
        f"{noise}-blindspot-sigma_{params}"
        for noise in ("gauss25", "poisson30", "impulse50")
        for params in ("known", "global")
    ]
    + [
        f"{noise}-blindspot-sigma_per_image"
        for noise in ("gauss5_50", "poisson5_50", "impulse0_100")
    ]
    + [f"gauss25-blindspot_diag-sigma_{params}" for params in ("known", "global")]
    + ["gauss5_50-blindspot_diag-sigma_per_image"]
    + [f"{noise}-n2c-mono" for noise in ("gauss25", "gauss5_50", "poisson30", "poisson5_50")]
    + [
        f"{noise}-blindspot-sigma_{params}-mono"
        for noise, params in itertools.chain(
            itertools.product(("gauss25", "poisson30"), ("known", "global")),
            (("gauss5_50", "per_image"), ("poisson5_50", "per_image")),
        )
    ]
)


@pytest.mark.parametrize("name", REFERENCE)
def test_every_configuration_of_the_original_has_its_name(name):
    config = configs.NAMED[name]
    assert str(config.noise) == name.split("-")[0]
    assert config.diagonal_covariance == ("_diag" in name)
    assert config.channels == (1 if name.endswith("-mono") else 3)
    assert config.pipeline == name.split("-")[1].replace("_diag", "")


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("gauss25-blindspot-sigma_known", 2),
        ("impulse50-n2c", 16),
        ("impulse50-n2n", 16),
        ("impulse50-blindspot-sigma_known", 4),
        ("impulse50-blindspot_mean", 8),
        ("gauss25-workshop-sigma_known", 1.2),
    ],
)
def test_lengths_of_training(name, millions):
    assert configs.NAMED[name].completed().num_images == millions * 1e6


def test_ones_own_noise_is_validated_on_ones_own_images():
    own = configs.Config(noise="none", noise_params="global", train_set="mine").completed()
    assert own.validation_set == "mine"
    assert configs.Config(train_set="mine").completed().validation_set == "sample"


def test_a_given_length_stays():
    assert configs.Config(num_images=8).completed().num_images == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": "gaus25"}, "noise='gaus25': expected gauss, poisson"),
        ({"noise_params": "guess"}, "noise_params='guess': expected known, global, per_image"),
        ({"pipeline": "n2v"}, "pipeline='n2v': expected blindspot"),
        ({"channels": 2}, "channels=2: expected 1, 3"),
        ({"crop_size": 50}, "crop_size=50: expected a multiple of 32"),
        ({"crop_size": 0}, "crop_size=0: expected a multiple of 32"),
        ({"batch_size": 2.5}, "batch_size=2.5: expected int"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: expected a finite number"),
        ({"seed": -1}, "seed=-1: expected 0 to"),
        ({"batch_size": 0}, "batch_size=0: expected more than 0"),
        ({"num_images": 2}, "num_images=2: expected at least one batch"),
        ({"precision": "float16"}, "precision='float16': expected float32, bfloat16"),
        ({"noise": "none"}, "level of real noise is not known"),
        ({"noise": "none", "pipeline": "n2c"}, "it needs second images"),
        ({"noise": "impulse50", "channels": 1}, "defined for 3 channels"),
        ({"pipeline": "workshop", "noise": "poisson30"}, "Gaussian noise of known level"),
    ],
)
def test_contradictions_say_what_is_expected(changes, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**changes)


def test_configurations_can_be_written_and_read():
    for config in configs.NAMED.values():
        assert configs.Config(**config.to_dict()) == config


@pytest.mark.parametrize("name", ["workshop-sigma_known", "workshop_l2-mono", "workshop_n2n"])
def test_the_workshop_paper_has_adam_as_it_comes_and_one_rate(name):
    config = configs.NAMED[f"gauss25-{name}"].completed()
    assert config.num_images == 1_200_000
    assert config.grey == ("luminance" if config.channels == 1 else "mean")
    optimizer = METHOD.optimizer(config)
    rates = {float(optimizer._learning_rate(step)) for step in (0, 10, 150_000, 299_999)}
    assert (rates, optimizer.beta_2) == ({3e-4}, 0.999)


def test_comp6248_clips_unless_a_name_ends_in_nc():
    named = configs.NAMED
    assert str(named["comp6248-ssdn-gauss25-sigma_known"].noise) == "gauss25_clipped"
    grey = named["comp6248-ssdn-poisson30_nc-sigma_const-mono"]
    assert (str(grey.noise), grey.noise_params, grey.channels) == ("poisson30", "global", 1)
    assert named["comp6248-ssdn-gauss25_nc-sigma_var"].noise_params == "per_image"
    assert named["comp6248-n2c-gauss25_nc"].pipeline == "n2c"


@pytest.mark.parametrize(
    ("settings", "rate", "start"),
    [
        ({"noise_params": "global"}, 1.0, 0.0),
        ({"noise_params": "global", "schedule": "fast"}, 10.0, 50.0),
        ({"noise_params": "per_image", "schedule": "fast"}, 1.0, 0.0),
        ({"noise_params": "known", "schedule": "fast"}, 1.0, 0.0),
        ({"noise_params": "global", "schedule": "fast", "noise": "impulse50"}, 10.0, 0.0),
        ({"noise_params": "global", "schedule": "fast", "noise_start": 9.0}, 10.0, 9.0),
    ],
)
def test_where_and_how_fast_the_search_for_the_level_starts(settings, rate, start):
    config = configs.Config(**settings).completed()
    assert (config.noise_rate, config.noise_start) == (rate, start)


def test_a_start_that_is_no_level_is_refused():
    with pytest.raises(ValueError, match="noise_start=0.5: expected 0, or 1 to 255"):
        configs.Config(noise_params="global", noise_start=0.5)


def test_the_level_of_noisy_files_is_estimated_if_nobody_says_how():
    config = configs.Config()
    assert config.implied({"noise": "none"}) == {"noise_params": "global"}
    assert config.implied({"noise": "gauss25"}) == config.implied({}) == {}
    chosen = configs.Config(noise_params="per_image")
    assert chosen.implied({"noise": "none"}) == {}  # what a configuration says stays
