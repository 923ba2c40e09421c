"""Denoisers that were not trained, but compute like ones that were."""

import dataclasses

import numpy as np

from noise2x import methods


def build(name, settings):
    """An untrained Denoiser of a method, as it restores files."""
    method = methods.find(name)
    settings = dict(settings)
    config = method.named[settings.pop("config", method.default)]
    config = dataclasses.replace(config, **settings).completed()
    denoiser = method.build(config)
    if name == "ssdn_tf":
        # Deviations of about 0.1, as trained networks predict. Those of an untrained one pass
        # through 0, where Bayes' rule divides one rounding error by another.
        last = denoiser.network.get_layer("nin_c")
        last.kernel.assign(last.kernel * 0.02)
        last.bias.assign([0.0] * config.channels + [0.1] * (last.bias.shape[0] - config.channels))
    for weight in denoiser.trainable_variables:
        # One that begins at 0 would hide what comes before it.
        if weight.path.endswith("kernel") and not np.any(weight):
            weight.assign(0.05 * np.random.default_rng(0).standard_normal(weight.shape))
    return method.deployed(denoiser)
