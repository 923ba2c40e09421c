"""Untrained denoisers whose outputs are similar to those of trained ones."""

import dataclasses

import numpy as np

from noise2x import methods


def build(name, settings):
    """Builds the untrained model of a method that restores files (Method.deployed).

    Args:
        name: of the method.
        settings: dict of changes of its default configuration; `config` names another one.
    """
    method = methods.find(name)
    settings = dict(settings)
    config = method.named[settings.pop("config", method.default)]
    config = dataclasses.replace(config, **settings).completed()
    denoiser = method.build(config)
    if name == "ssdn_tf":
        # Makes the standard deviations about 0.1, as trained networks predict. An untrained network
        # predicts values around 0, for which Bayes' rule divides one rounding error by another.
        last = denoiser.network.get_layer("nin_c")
        last.kernel.assign(last.kernel * 0.02)
        last.bias.assign([0.0] * config.channels + [0.1] * (last.bias.shape[0] - config.channels))
    if name == "dbsn_tf":  # for the same reason
        bias = denoiser.mean_variance.get_layer("conv_4").bias
        # Of six components, those on the diagonal.
        bias.assign([0.1, 0.0, 0.0, 0.1, 0.0, 0.1] if bias.shape[0] == 6 else [0.1] * bias.shape[0])
        bias = denoiser.noise_variance.get_layer("conv_final").bias
        bias.assign([0.1, 0.0, 0.0, 0.1, 0.0, 0.1] if bias.shape[0] == 6 else [1.7] * bias.shape[0])
    for weight in denoiser.trainable_variables:
        # A kernel that starts at 0 would hide the layers before it.
        if weight.path.endswith("kernel") and not np.any(weight):
            weight.assign(0.05 * np.random.default_rng(0).standard_normal(weight.shape))
    return method.deployed(denoiser)
