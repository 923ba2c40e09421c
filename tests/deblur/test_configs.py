"""Which settings deblurring takes, and what follows from the formulation."""

import pytest

from deblur import configs


@pytest.mark.parametrize("formulation", configs.FORMULATIONS)
def test_what_follows_from_the_formulation(formulation):
    config = configs.Config(formulation=formulation).completed()
    assert config.blur.startswith("lognormal" if formulation.startswith("log") else "dirac")
    assert config.kernel_size == (0 if formulation == "multiplicative" else 5)
    assert config.unit_sum == (formulation == "convolve")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"formulation": "divide"}, "formulation='divide': expected log, log_nodc"),
        ({"kernel_size": 4}, "kernel_size=4: expected an odd number, or 0"),
        ({"kernel_size": -1}, "kernel_size=-1: expected an odd number"),
        ({"kernel_size": 129}, "kernel_size=129: larger than the crop of 128"),
        ({"kernel_size": 1, "unit_sum": True}, "changes nothing"),
        ({"blur": "motion9", "formulation": "log"}, "it is minus infinity"),
        ({"blur": "motion33", "crop_size": 32}, "kernels of up to 35 pixels, larger than the crop"),
        ({"blur": "disc1_17", "crop_size": 32}, "kernels of up to 35 pixels, larger than the"),
        ({"noise": "poisson30"}, "noise='poisson30': expected gauss"),
        ({"blur": "motion999"}, "at most to 255"),
        ({"blur": "k.npy"}, "blur='k.npy': expected one of"),
        ({"validation_blur": "gauss3"}, "expected one of lognormal"),
        ({"targets": "noisy"}, "targets='noisy': expected blurred, clean"),
        ({"noise": "none"}, "noise='none': expected gauss"),
        ({"crop_size": 100}, "crop_size=100: expected a multiple of 32"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_these_words(settings, message):
    with pytest.raises(ValueError, match=message):
        configs.Config(**settings)
