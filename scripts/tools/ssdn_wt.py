"""Weight files (.wt) of the PyTorch reimplementation of SSDN (COMP6248): what they say of a model.

Such a file holds every tensor twice, a layer that is not used, and the program's configuration,
whose names `weight_files` gives as text. A checkpoint of a training holds all of it below
`denoiser`. Shown by real files of that program: for its four kinds of model the networks' outputs
are equal to 4e-6, and 99 of 100 posterior means to 2e-5. At single pixels, up to 0.01, the other
program's inverses of nearly singular 3x3 matrices in float32 are off.
"""

import typing

import numpy as np

from common import noise as noises
from scripts.tools.weight_files import WeightError

NOISE_PARAMS = {"known": "known", "const": "global", "var": "per_image"}
NETWORKS = ("denoiser_model", "sigma_estimation_model")
PREFIXES = ("models.{}.module.", "_models.{}.")  # the same tensors stand below both
UNUSED = "output_conv"
SIGMA = "l_params.estimated_sigma"


class Model(typing.NamedTuple):
    """What a file holds.

    settings: of the configuration here.
    sets: arrays of the networks, in the order of their layers: a dict of name -> array each.
    raw_noise: the learned noise level, before it is made positive; None if there is none.
    """

    settings: dict[str, typing.Any]
    sets: list[dict[str, np.ndarray]]
    raw_noise: float | None


def find(content):
    """The model in what `weight_files.read` returned, or None if it is another kind of file.

    Raises:
        WeightError: a pipeline, or a noise, that is not known here.
    """
    if isinstance(content, dict) and isinstance(content.get("denoiser"), dict):
        content = content["denoiser"]
    if not isinstance(content, dict) or not isinstance(content.get("cfg"), dict):
        return None
    sets = [arrays for network in NETWORKS if (arrays := _arrays(content, network))]
    if not sets:
        return None
    raw = content.get(SIGMA)
    if raw is not None and not (np.size(raw) == 1 and np.isfinite(raw).all()):
        raise WeightError(f"{SIGMA} is no number")
    settings = _settings(content["cfg"], sets[0])
    return Model(settings, sets, None if raw is None else float(np.ravel(raw)[0]))


def _arrays(content, network):
    """The arrays of a network, each once, without the layer that is not used."""
    for prefix in PREFIXES:
        start = prefix.format(network)
        found = {k: v for k, v in content.items() if isinstance(k, str) and k.startswith(start)}
        if found:
            names = {name.removeprefix(start): value for name, value in found.items()}
            return {k: v for k, v in names.items() if not k.startswith(UNUSED)}
    return {}


def _settings(cfg, arrays):
    """The settings here of the program's configuration."""
    values = [value for value in cfg.values() if isinstance(value, str)]

    def member(enumeration):
        """Name of the member of an enumeration among the values."""
        start = f"{enumeration}("
        names = [v.removeprefix(start)[:-1] for v in values if v.startswith(start)]
        if len(names) != 1:
            raise WeightError(f"its configuration has {len(names)} values of {enumeration}")
        return names[0]

    styles = [value for value in values if "(" not in value]
    if len(styles) != 1:
        raise WeightError(f"its configuration names {len(styles)} noises")
    settings = {"noise": _noise(styles[0])}
    pipeline, algorithm, params = (member(n) for n in ("Pipeline", "NoiseAlgorithm", "NoiseValue"))
    is_blind = _is_blind(arrays)
    if pipeline == "ssdn" and is_blind:
        if params not in NOISE_PARAMS:
            raise WeightError(f"a noise level that is {params!r}")
        covariances = _outputs(arrays) - (channels := _channels(arrays))
        settings["pipeline"] = "blindspot"
        settings["noise_params"] = NOISE_PARAMS[params]
        settings["diagonal_covariance"] = channels > 1 and covariances == channels
    elif pipeline in ("mse", "mask_mse"):
        # A plain network that learned from hidden pixels is used as one of clean targets is.
        plain = "n2n" if algorithm == "n2n" else "n2c"
        settings["pipeline"] = "blindspot_mean" if is_blind else plain
    else:
        raise WeightError(f"a pipeline {pipeline!r} of {algorithm!r} that is not known here")
    return settings


def _noise(style):
    """The noise here of a noise of the program, which clips unless its name ends in _nc."""
    text = style.removesuffix("_nc")
    try:
        noise = noises.parse(text)
        clips = text == style and noise.CLIPPABLE
        return str(noises.parse(f"{text}_clipped")) if clips else str(noise)
    except ValueError as error:
        raise WeightError(f"a noise {style[:40]!r} that is not known here") from error


def _channels(arrays):
    """Channels of the image that the first kernel takes."""
    return int(next(v for v in arrays.values() if np.ndim(v) == 4).shape[1])


def _outputs(arrays):
    """Features that the last kernel gives."""
    return int([v for v in arrays.values() if np.ndim(v) == 4][-1].shape[0])


def _is_blind(arrays):
    """Whether the network is a blind-spot network: four directions of 96 features are mixed."""
    kernel = arrays.get("output_block.0.weight")
    return kernel is not None and np.ndim(kernel) == 4 and kernel.shape[1] == 384
