"""Reads golden files: inputs and outputs of the original implementations, and their weights.

A golden file is an .npz of arrays with a key `meta`, a JSON string. The weights are made from two
of its entries, `seed` and `tensors`, a list of (name, shape, kind): one generator default_rng(seed)
draws standard_normal(shape) for each tensor in turn.
"""

import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent.parent.parent / "tests" / "golden"


def load(name, folder=FOLDER):
    """Reads golden file `name`: (dict of arrays, meta dict).

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it is not a golden file.
    """
    path = pathlib.Path(folder) / f"{name}.npz"
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    if "meta" not in arrays:
        raise ValueError(f"{path}: no key 'meta', so no golden file.")
    return arrays, json.loads(str(arrays.pop("meta")))


def weights(meta):
    """Makes the weights of a golden file: dict of name, for instance "layer/kernel", -> float32.

    Raises:
        ValueError: a tensor of unknown kind.
    """
    rng = np.random.default_rng(meta["seed"])
    gain = meta.get("kernel_gain", 1.0)
    made = {}
    for name, shape, kind in meta["tensors"]:
        z = rng.standard_normal(shape)
        made[name] = _value(kind, z, shape, gain).astype(np.float32)
    return made


def _value(kind, z, shape, gain):
    """The weight made from normal numbers z, by the rule for its kind."""
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
    """Gives a network the weights of a golden file, matched by layer name."""
    for name, value in weights(meta).items():
        layer, _, variable = name.rpartition("/")  # a Keras layer has no "/" in its name
        target = getattr(network.get_layer(layer.replace("/", "_")), variable)
        # Keras' PReLU holds its slopes as (1, 1, C).
        target.assign(value.reshape(target.shape) if variable == "alpha" else value)


def check_sums(arrays, meta):
    """Largest deviation of the weights from the file's `weight_check` (first, last, sum).

    Args:
        arrays: of the golden file, or of an entry of it.
        meta: of the golden file, or of that entry, with the list of tensors.
    """
    made = weights(meta).values()
    sums = [(w.flat[0], w.flat[-1], w.sum(dtype=np.float64)) for w in made]
    return float(np.abs(np.array(sums, np.float64) - arrays["weight_check"]).max())
