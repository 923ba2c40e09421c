"""Makes a run folder of ours from the weights of the original implementations.

python -m scripts.import_weights --method=n2v_tf --input=models/my_n2v --run_dir=runs/mine
python -m scripts.import_weights --method=ssdn_tf --config=gauss25-blindspot-sigma_known \\
    --input=network_final.pickle --run_dir=runs/nvidia
python -m scripts.import_weights --method=rdunet_tf --input=model_color.pth --run_dir=runs/rdunet

What is read, and nothing of it executed:
n2v_tf: a model folder of juglab's n2v, config.json and weights_best.h5 (or the only .h5 there).
n2n_tf, n2n_tf.mri, ssdn_tf: network_final*.pickle of NVIDIA's repositories; ssdn_tf also the
PyTorch files (.wt) of its reimplementation.
rdunet_tf: the authors' .pth files, of any width.

Files of weights don't say what noise they are for: --config names the configuration, by default the
method's; channels and width are taken from the arrays. The commands of the method then take the
run folder as if it had been trained here.
"""

import dataclasses
import json
import pathlib

import numpy as np
from absl import flags as absl_flags

from common import configuration
from common.commands import flags, running
from common.files import atomic
from common.training import runs
from noise2x import methods
from scripts.tools import weight_files

FLAGS = flags.FLAGS
# Methods with weights to import.
ORIGINALS = ("n2n_tf", "n2n_tf.mri", "n2v_tf", "rdunet_tf", "ssdn_tf")
# The last word of a variable's name -> what Keras calls it, by number of axes.
KINDS = {
    4: {"w": "kernel", "weight": "kernel", "kernel": "kernel"},
    1: {"b": "bias", "bias": "bias", "weight": "alpha"},
}


def fill(network, arrays, path, *, is_torch):
    """Gives a network the arrays of a file, by their names or, where those are others, in order.

    Raises:
        weight_files.WeightError: missing, unexpected or of another shape; names them. The network
            may then have some of them already.
    """
    wanted = {
        (layer.name, variable.name): variable
        for layer in network.layers
        for variable in layer.weights
    }
    found = {_key(name, value): value for name, value in arrays.items()}
    if len(found) < len(arrays):
        twice = [n for n, v in arrays.items() if found[_key(n, v)] is not v]
        raise weight_files.WeightError(f"{path}: two arrays for {_list(twice)}.")
    layers = {layer for layer, _ in wanted}
    if not layers & {layer for layer, _ in found}:
        found = _in_order(wanted, found)
    missing = [f"{layer}/{name}" for layer, name in wanted if (layer, name) not in found]
    unexpected = [f"{layer}/{name}" for layer, name in found if (layer, name) not in wanted]
    if missing or unexpected:
        said = [f"lacks {_list(missing)}"] * bool(missing)
        said += [f"has {_list(unexpected)}"] * bool(unexpected)
        raise weight_files.WeightError(f"{path}: weights of another network: it {', '.join(said)}.")
    for key, variable in wanted.items():
        value = found[key]
        if is_torch and value.ndim == 4:
            # (out, in, H, W), of transposed convolutions (in, out, H, W), as Keras has them.
            value = value.transpose(2, 3, 1, 0)
        if key[1] == "alpha" and value.size == np.prod(variable.shape):
            value = value.reshape(variable.shape)  # (1, 1, C) here
        if value.shape != tuple(variable.shape):
            raise weight_files.WeightError(
                f"{path}: weights of another network: {key[0]}/{key[1]} is "
                f"{'x'.join(map(str, value.shape))}, expected "
                f"{'x'.join(map(str, variable.shape))}."
            )
        if not np.isfinite(value).all():
            raise weight_files.WeightError(f"{path}: {key[0]}/{key[1]} has NaN or infinite values.")
        variable.assign(value.astype(np.float32))


def _key(name, value):
    """("enc_conv0", "kernel") of "enc_conv0/w", "module.enc_conv0.weight", "a/enc_conv0/weight"."""
    parts = name.replace(":0", "").replace("/", ".").removeprefix("module.").split(".")
    kind = KINDS.get(np.ndim(value), {}).get(parts[-1], parts[-1])
    layer = "_".join(parts[:-1]) if "/" not in name else parts[-2] if len(parts) > 1 else ""
    return layer, kind


def _in_order(wanted, found):
    """Arrays under our names, for files with names of their own: as they come."""
    places = list(wanted)
    if [kind for _, kind in found] != [kind for _, kind in places]:
        return found
    return dict(zip(places, found.values()))


def _list(names):
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def sets_of(path):
    """The sets of arrays in a file, of a network each.

    Raises:
        weight_files.WeightError: there is none.
    """
    content = weight_files.read(path)
    try:
        sets = [part for part in weight_files.tensors(content) if len(part) > 1]
    except weight_files.WeightError as error:
        raise weight_files.WeightError(f"{path}: {error}.") from error
    if not sets:
        raise weight_files.WeightError(f"{path}: holds no sets of named arrays.")
    return sets


def _channels(arrays, is_torch):
    """Of the first kernel there is."""
    kernel = next((v for v in arrays.values() if np.ndim(v) == 4), None)
    return None if kernel is None else int(kernel.shape[1 if is_torch else 2])


def _is_torch(sets):
    """Kernels of PyTorch are (out, in, H, W), of TensorFlow (H, W, in, out)."""
    kernels = [v for v in sets[0].values() if np.ndim(v) == 4]
    return bool(kernels) and all(v.shape[2] == v.shape[3] <= 7 for v in kernels)


def read_n2v(path, given):
    """(configuration, Denoiser) of a model folder of juglab's n2v."""
    from n2v_tf import N2V

    path = pathlib.Path(path).resolve()
    if not (path / "config.json").is_file():
        raise weight_files.WeightError(f"{path}: no config.json there, so no model folder of n2v.")
    _check_size(path)
    try:
        model = N2V(None, path.name, path.parent)
    except (TypeError, KeyError, AttributeError) as error:
        raise weight_files.WeightError(
            f"{path}: not a configuration of n2v ({type(error).__name__}: {error})."
        ) from error
    denoiser = model.denoiser
    return dataclasses.replace(denoiser.config, **given), denoiser


def _check_size(folder):
    """Refuses a configuration of a network far larger than the weights that are there."""
    try:
        told = json.loads((folder / "config.json").read_text())
        first, depth = int(told["unet_n_first"]), int(told["unet_n_depth"])
        widest = first * 2.0 ** min(depth, 100)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise weight_files.WeightError(
            f"{folder}/config.json: not a configuration of n2v ({type(error).__name__}: {error})."
        ) from error
    stored = max((path.stat().st_size for path in folder.glob("*.h5")), default=0)
    # The kernels in the middle alone, of floats.
    if not first > 0 or not depth >= 0 or 4 * 9 * widest**2 / 2 > 2 * max(stored, 10**6):
        raise weight_files.WeightError(
            f"{folder}: config.json says {first} features at the top of {depth} levels, which the "
            "weights there are too few for."
        )


def read_networks(method, path, config, given):
    """(configuration, Denoiser) of a file of arrays; the first set is the main network's."""
    sets = sets_of(path)
    is_torch = _is_torch(sets)
    channels = _channels(sets[0], is_torch)
    settings = {"channels": channels} if channels in config.CHANNELS else {}
    if method.name == "rdunet_tf":
        settings["width"] = width = len(next((v for v in sets[0].values() if np.ndim(v) == 1), []))
        if not 0 < 500 * width**2 < sum(np.size(v) for v in sets[0].values()):
            raise weight_files.WeightError(f"{path}: weights of another network than RDUNet.")
    config = dataclasses.replace(config, **settings | given).completed()
    denoiser = method.build(config)
    fill(denoiser.network, sets[0], path, is_torch=is_torch)
    noise_network = getattr(denoiser, "noise_network", None)
    if noise_network is not None:
        if len(sets) < 2:
            raise weight_files.WeightError(
                f"{path}: one network; a model of noise_params=per_image has another, that "
                "estimates the noise."
            )
        fill(noise_network, sets[1], path, is_torch=is_torch)
    elif len(sets) > 1:
        raise weight_files.WeightError(
            f"{path}: {len(sets)} networks, this configuration has one; --config=... names another."
        )
    if getattr(denoiser, "raw_noise", None) is not None:
        raise weight_files.WeightError(
            f"{path}: of a model of noise_params=global the noise that it learned is no part of "
            "its network; import it as one of known noise: --config=gauss25-blindspot-sigma_known."
        )
    return config, denoiser


def define_flags():
    absl_flags.DEFINE_enum("method", None, list(ORIGINALS), "Whose weights. Required.")
    absl_flags.DEFINE_string("input", None, "File, or folder of n2v. Required.")
    absl_flags.DEFINE_string("run_dir", None, "The run folder to make. Required.")
    absl_flags.DEFINE_string("config", None, "Named configuration [the method's default].")
    absl_flags.DEFINE_string(
        "noise", None, "What the model is for, as gauss25 [the configuration's; n2v: none]."
    )


def convert(method, path, run_dir, *, name=None, noise=None):
    """Makes a run folder from a file of weights.

    Args:
        method: commands.Method.
        path: of the file, or of juglab's folder.
        run_dir: must not be there yet.
        name: of a named configuration; None for the default's.
        noise: that the model is for; None for the configuration's.

    Returns:
        (configuration, Denoiser).

    Raises:
        ValueError: what is wrong; nothing is written then.
    """
    if run_dir.exists():
        raise runs.RunError(f"{run_dir}: is there already; choose another --run_dir.")
    name = name or method.default
    configuration.expect("config", name, list(method.named))
    given = {} if noise is None else {"noise": noise, "validation_noise": noise}
    if method.name == "n2v_tf":
        if name != method.default:
            raise ValueError(f"config={name!r}: a model folder of n2v has its own configuration.")
        config, denoiser = read_n2v(path, given)
    else:
        config, denoiser = read_networks(method, path, method.named[name], given)
    with atomic.replacing_folder(run_dir) as temporary:
        runs.save_config(temporary, method.name, config)
        runs.save_weights(temporary, denoiser)
    return config, denoiser


def run():
    flags.require("method", "input", "run_dir")
    run_dir = pathlib.Path(FLAGS.run_dir)
    method = methods.find(FLAGS.method)
    config, denoiser = convert(method, FLAGS.input, run_dir, name=FLAGS.config, noise=FLAGS.noise)
    print(
        f"{run_dir}: a run of {method.name}, {config.channels} channels, noise {config.noise}, "
        f"{denoiser.count_params()} parameters. Try it: python -m {method.name}.denoise "
        f"--run_dir={run_dir} --input=... --output=..."
    )


def main():
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
