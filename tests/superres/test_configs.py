"""Which settings super-resolution takes, and what follows from the target."""

import pytest

from superres import configs


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("noisy_hr", "gauss0", "gauss25")),
        ({"target": "clean_hr"}, ("clean_hr", "gauss0", "gauss0")),
        ({"target": "bicubic", "noise": "gauss10"}, ("bicubic", "gauss10", "gauss10")),
        ({"learner": "n2v"}, ("bicubic", "gauss25", "gauss25")),
        ({"target_noise": "gauss50", "noise": "gauss5"}, ("noisy_hr", "gauss5", "gauss50")),
    ],
)
def test_what_follows_from_the_target(settings, expected):
    config = configs.Config(**settings).completed()
    assert (config.target, str(config.noise), str(config.target_noise)) == expected
    assert config.validation_noise == config.noise


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": 5}, "scale=5: expected 2, 3, 4"),
        ({"scale": 3, "crop_size": 64}, "crop_size=64: expected a multiple of scale=3 too"),
        ({"target": "noisy"}, "target='noisy': expected None, noisy_hr, clean_hr, bicubic"),
        ({"learner": "n2v", "target": "noisy_hr"}, "learner='n2v' with target='noisy_hr'"),
        ({"learner": "n2v", "noise": "gauss0"}, "without noise there is nothing to learn"),
        ({"target": "bicubic", "noise": "gauss0"}, "without noise there is nothing to learn"),
        ({"learner": "n2v", "target_noise": "gauss5"}, "its target is the input"),
        ({"target": "clean_hr", "target_noise": "gauss5"}, "target='clean_hr' with target_noise"),
        ({"target_noise": "impulse5"}, "target_noise='impulse5': expected gauss"),
        ({"noise": "none"}, "noise='none': expected gauss"),
        ({"perc_pix": 101.0}, "perc_pix=101.0: expected at most 100"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)
