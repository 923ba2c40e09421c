"""Reads and writes the weight files of juglab's n2v, HDF5 in the layout of Keras 2.

Most convolutions have the same names in the files and here. Batch normalisations and the last
convolutions only have a number in the files, "batch_normalization_3", in the order in which they
were made. The first number depends on the layers that the session had made before.
"""

import pathlib
import re

import h5py
import numpy as np

from common.files import atomic


def load_weights(network, path):
    """Gives a network of `network.build_network` the weights of a file.

    Raises:
        ValueError: the file does not exist, is not a weight file of Keras 2, or belongs to another
            network; the message names it.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    try:
        with h5py.File(path, "r") as file:
            stored = _read(file.get("model_weights", file))
    except (OSError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{path}: not a weight file of Keras 2 ({error}).") from error
    # Without the binomial kernels of N2V2's poolings: they are not trained, and fixed here.
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
                shape = "nothing" if value is None else f"{value.shape}"
                raise ValueError(
                    f"{path}: weights of another network; {layer.name}/{variable.name} is {shape}, "
                    f"expected {tuple(variable.shape)}."
                )
            variable.assign(value)
    if unused := sorted(set(stored) - set(names.values())):
        raise ValueError(f"{path}: weights of another network; {unused[0]} is not in this one.")


def save_weights(network, path):
    """Writes the weights of a network to a file, completely or not at all.

    The kernels of N2V2's poolings are left out.
    """
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
    """dict of layer names here -> names in a file.

    stored: the layers of the file, of `_read`; or None for the names in a new file.
    """
    layers = _layers_with_weights(network)
    kind = f"conv{len(layers[0].weights[0].shape) - 2}d"
    counted = {"_bn": "batch_normalization", "final": kind}
    # Network by network; within a network in the order of its layers.
    in_order = sorted((layer.name for layer in layers), key=_channel)
    names = {name: name for name in in_order}
    for ending, theirs in counted.items():
        ours = [name for name in in_order if name.endswith(ending)]
        if stored is None:
            stored_names = [f"{theirs}_{i}" if i else theirs for i in range(len(ours))]
        else:
            stored_names = _counted(theirs, stored)
        names |= dict(zip(ours, stored_names))
    return names


def _channel(name):
    """Number of the network that a layer belongs to: 12 for "channel_12down_level_0_no_0"."""
    return int(re.match(r"channel_(\d+)", name)[1])


def _counted(theirs, stored):
    """Names in a file that are `theirs` with a number, sorted by the number."""
    matches = (re.fullmatch(rf"{theirs}(?:_(\d+))?", name) for name in stored)
    return [m[0] for m in sorted((m for m in matches if m), key=lambda m: int(m[1] or 0))]
