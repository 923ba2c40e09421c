"""Weight files of juglab's n2v, HDF5 as Keras 2 wrote it: read and written.

Convolutions go by the names they have here too. Batch normalisations and last convolutions are only
counted there, "batch_normalization_3", in the order in which they were made; where the count begins
depends on what the session had made before.
"""

import pathlib
import re

import h5py
import numpy as np

from common.files import atomic


def load_weights(network, path):
    """Fills a network of `network.build_network` from a file.

    Raises:
        ValueError: no such file, none of Keras 2, or of another network; names it.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    try:
        with h5py.File(path, "r") as file:
            stored = _read(file.get("model_weights", file))
    except (OSError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{path}: not a weight file of Keras 2 ({error}).") from error
    # The binomial kernels of N2V2's poolings: no trained weights, and part of the network here.
    stored = {
        name: v for name, v in stored.items() if not re.fullmatch(r"channel_\d+max_\d+", name)
    }
    names = _names(network, stored)
    for layer in _layers_with_weights(network):
        if names.get(layer.name) not in stored:
            raise ValueError(f"{path}: weights of another network; it lacks {layer.name}.")
        variables = stored[names[layer.name]]
        for variable in layer.weights:
            value = variables.get(variable.name)
            if value is None or value.shape != tuple(variable.shape):
                found = "nothing" if value is None else f"{value.shape}"
                raise ValueError(
                    f"{path}: weights of another network; {layer.name}/{variable.name} is {found}, "
                    f"expected {tuple(variable.shape)}."
                )
            variable.assign(value)
    if unused := sorted(set(stored) - set(names.values())):
        raise ValueError(f"{path}: weights of another network; {unused[0]} is not in this one.")


def save_weights(network, path):
    """Writes such a file, whole or not at all; of N2V2 without the kernels of its poolings."""
    names = _names(network, None)
    with atomic.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        layers = _layers_with_weights(network)
        file.attrs["layer_names"] = [names[layer.name].encode() for layer in layers]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.15.0"
        for layer in layers:
            name = names[layer.name]
            group = file.create_group(name)
            weights = {f"{name}/{v.name}:0": np.asarray(v) for v in layer.weights}
            group.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, value in weights.items():
                group[weight] = value


def _layers_with_weights(network):
    return [layer for layer in network.layers if layer.weights]


def _read(group):
    """dict of layer name -> dict of variable name -> array."""
    layers = {}
    for name in map(_text, group.attrs["layer_names"]):
        weights = map(_text, group[name].attrs["weight_names"])
        # "channel_0down_level_0_no_0/kernel:0" -> "kernel"
        variables = {re.sub(r".*/|:\d+$", "", w): np.asarray(group[name][w]) for w in weights}
        if variables:
            layers[name] = variables
    return layers


def _text(name):
    return name.decode() if isinstance(name, bytes) else str(name)


def _names(network, stored):
    """dict of our layer names -> those in a file, or in a new one for None."""
    layers = _layers_with_weights(network)
    kind = f"conv{len(layers[0].weights[0].shape) - 2}d"
    counted = {"_bn": "batch_normalization", "final": kind}
    # Network by network, in each along its one chain of layers.
    in_order = sorted((layer.name for layer in layers), key=_channel)
    names = {name: name for name in in_order}
    for ending, theirs in counted.items():
        ours = [name for name in in_order if name.endswith(ending)]
        if stored is None:
            given = [f"{theirs}_{i}" if i else theirs for i in range(len(ours))]
        else:
            given = _counted(theirs, stored)
        names |= dict(zip(ours, given))
    return names


def _channel(name):
    """Number of the network of a layer: 12 of "channel_12down_level_0_no_0"."""
    return int(re.match(r"channel_(\d+)", name)[1])


def _counted(theirs, stored):
    """Names in a file that are `theirs` with a count, in its order."""
    matches = (re.fullmatch(rf"{theirs}(?:_(\d+))?", name) for name in stored)
    return [m[0] for m in sorted((m for m in matches if m), key=lambda m: int(m[1] or 0))]
