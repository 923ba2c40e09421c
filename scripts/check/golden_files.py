"""Reads golden files: inputs and outputs of the original implementations, and their weights.

A golden file is an .npz of arrays with a key `meta`, a JSON string. Its `tensors`, (name, shape,
kind) in order, and `seed` make the weights: one generator default_rng(seed)
draws standard_normal(shape) for each in turn.
"""

import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent.parent.parent / "tests" / "golden"


def load(name, folder=FOLDER):
    """(dict of arrays, meta dict) of golden file `name`.

    Raises:
        FileNotFoundError: no such file. ValueError: not a golden file.
    """
    path = pathlib.Path(folder) / f"{name}.npz"
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    if "meta" not in arrays:
        raise ValueError(f"{path}: no key 'meta', so no golden file.")
    return arrays, json.loads(str(arrays.pop("meta")))


def weights(meta):
    """dict of float32 weights by name, "layer/kernel" and the like.

    Raises:
        ValueError: a kind of tensor that the rule does not know.
    """
    rng = np.random.default_rng(meta["seed"])
    gain = meta.get("kernel_gain", 1.0)
    made = {}
    for name, shape, kind in meta["tensors"]:
        z = rng.standard_normal(shape)
        made[name] = _value(kind, z, shape, gain).astype(np.float32)
    return made


def _value(kind, z, shape, gain):
    if kind == "kernel":
        return gain * z * np.sqrt(2 / np.prod(shape[:-1]))
    if kind == "kernel_t":  # height, width, out, in
        return gain * z * np.sqrt(2 / shape[-1])
    if kind == "bias":
        return 0.05 * z
    if kind == "prelu":
        return 0.25 + 0.05 * z
    if kind == "bn_gamma":
        return 1 + 0.1 * z
    if kind in ("bn_beta", "bn_mean"):
        return 0.1 * z
    if kind == "bn_var":
        return np.exp(0.3 * z)
    raise ValueError(f"tensor kind {kind!r} is not known.")


def set_weights(network, meta):
    """Gives a network the weights of a golden file, by layer name."""
    for name, value in weights(meta).items():
        layer, _, variable = name.rpartition("/")  # a Keras layer has no "/" in its name
        target = getattr(network.get_layer(layer.replace("/", "_")), variable)
        # Keras' PReLU holds its slopes as (1, 1, C).
        target.assign(value.reshape(target.shape) if variable == "alpha" else value)


def check_sums(arrays, meta):
    """Largest deviation of the made weights from the file's `weight_check` (first, last, sum).

    meta: of the file, or of the entry in it that lists the tensors; arrays: those of that entry.
    """
    made = weights(meta).values()
    sums = [(w.flat[0], w.flat[-1], w.sum(dtype=np.float64)) for w in made]
    return float(np.abs(np.array(sums, np.float64) - arrays["weight_check"]).max())
