"""The models that the page offers: those that come along, and run folders."""

import functools
import pathlib

from common import shipped
from noise2x import methods


def offered(names=None):
    """What is known of the models that restore pictures, without loading them.

    names: of shipped models and run folders [all shipped models].

    Returns:
        List of dicts: name, label, purpose, channels, predicts_std, takes_level, level (that of the
        training, in the units of the noise string, or None), calibrates, digest (of the weights).

    Raises:
        runs.RunError: no such model.
        ValueError: one that restores something else than pictures of their own size.
    """
    return [describe(str(name)) for name in names or shipped.names(same_size=True)]


@functools.cache  # a finished training stays as it is, and its hash takes time
def describe(name):
    """What is known of a run folder or a shipped model, see `offered`."""
    from common.training import runs

    method = methods.of_run(name)
    config, _ = method.load_config(name)
    if name not in shipped.names():
        if not runs.is_finished(name):
            raise runs.RunError(f"{name}: its training is not finished.")
        name = str(pathlib.Path(name).resolve())
    purpose = shipped.card(name)["purpose"] if name in shipped.names() else method.summary
    if method.name in ("deblur", "superres", "n2n_tf.mri") or len(config.crop_shape) != 2:
        raise ValueError(f"{name}: restores no pictures of their own size.")
    noise = config.noise
    return {
        "name": name,
        "digest": _digest(name),
        "label": pathlib.Path(name).name,
        "purpose": purpose,
        "channels": config.channels,
        "predicts_std": bool(config.predicts_std),
        "takes_level": bool(config.takes_level),
        "level": noise.high if noise.is_fixed and not noise.is_none else None,
        # As calibrated_model.refusal says of the model once it is loaded.
        "calibrates": noise.NAME == "gauss"
        and (noise.is_none or not noise.is_fixed)
        and not (config.takes_level and not config.finds_level)
        and not (config.estimates_once or config.keeps_counts)
        and not config.white_level,
    }


def _digest(name):
    """The beginning of a hash of the weights."""
    folder = shipped.folder(name) if name in shipped.names() else pathlib.Path(name)
    weights = folder / ("weights.npz" if name in shipped.names() else "weights.weights.h5")
    return shipped.digest(weights)[:16]
