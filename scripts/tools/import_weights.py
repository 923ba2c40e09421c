"""Makes a run folder from a weight file of an original implementation.

noise2x import --method=n2v_tf --input=models/my_n2v --run_dir=runs/mine
noise2x import --method=ssdn_tf --config=gauss25-blindspot-sigma_known \\
    --input=network_final.pickle --run_dir=runs/nvidia
noise2x import --method=ssdn_tf --input=final-ssdn-gauss25-sigma_known.wt --run_dir=runs/comp
noise2x import --method=rdunet_tf --input=model_color.pth --run_dir=runs/rdunet

The program reads these files, and never executes code that they contain:
n2v_tf: model folders of juglab's n2v, with config.json and weights_best.h5 (or another .h5).
n2n_tf, n2n_tf.mri, ssdn_tf: network_final*.pickle of NVIDIA's repositories.
ssdn_tf: also the PyTorch files (.wt) of its reimplementation, and the checkpoints of its trainings.
rdunet_tf: the .pth files of its authors, of any width.

A .wt file and a model folder of n2v have their configuration with them. Other weight files do not
say for which noise they were trained, so --config names the configuration. The numbers of channels
and features are taken from the arrays. Afterwards all commands of the method work with the run
folder, as if it had been trained here.
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
from scripts.tools import ssdn_wt, weight_files

FLAGS = flags.FLAGS
# Methods whose original weights can be imported.
ORIGINALS = ("n2n_tf", "n2n_tf.mri", "n2v_tf", "rdunet_tf", "ssdn_tf")
# Number of an array's axes -> last word of its name -> Keras' name of the variable.
KINDS = {
    4: {"w": "kernel", "weight": "kernel", "kernel": "kernel"},
    1: {"b": "bias", "bias": "bias", "weight": "alpha"},
}


def fill(network, arrays, path, *, is_torch):
    """Gives a network the arrays of a file, matched by name, or in order if no layer name matches.

    Args:
        network: a keras.Model.
        arrays: dict of name -> array.
        path: of the file, for messages.
        is_torch: whether kernels have PyTorch's order of axes.

    Raises:
        weight_files.WeightError: arrays are missing, unexpected or not finite, or have another
            shape; the message names them. A part of the network may be filled then.
    """
    wanted = {
        (layer.name, variable.name): variable
        for layer in network.layers
        for variable in layer.weights
    }
    stored = {_key(name, value): value for name, value in arrays.items()}
    if len(stored) < len(arrays):
        twice = [n for n, v in arrays.items() if stored[_key(n, v)] is not v]
        raise weight_files.WeightError(f"{path}: two arrays for {_list(twice)}.")
    layers = {layer for layer, _ in wanted}
    if not layers & {layer for layer, _ in stored}:
        stored = _in_order(wanted, stored)
    missing = [f"{layer}/{name}" for layer, name in wanted if (layer, name) not in stored]
    unexpected = [f"{layer}/{name}" for layer, name in stored if (layer, name) not in wanted]
    if missing or unexpected:
        faults = [f"lacks {_list(missing)}"] * bool(missing)
        faults += [f"has {_list(unexpected)}"] * bool(unexpected)
        raise weight_files.WeightError(
            f"{path}: weights of another network: it {', '.join(faults)}."
        )
    for key, variable in wanted.items():
        value = stored[key]
        if is_torch and value.ndim == 4:
            # From (out, in, H, W), or (in, out, H, W) of transposed convolutions, to Keras' order.
            value = value.transpose(2, 3, 1, 0)
        if key[1] == "alpha" and value.size == np.prod(variable.shape):
            value = value.reshape(variable.shape)  # (1, 1, C) in Keras
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
    """Layer and variable of an array: ("enc_conv0", "kernel").

    Names of this array can be "enc_conv0/w", "module.enc_conv0.weight" or "a/enc_conv0/weight".
    """
    parts = name.replace(":0", "").replace("/", ".").removeprefix("module.").split(".")
    kind = KINDS.get(np.ndim(value), {}).get(parts[-1], parts[-1])
    layer = "_".join(parts[:-1]) if "/" not in name else parts[-2] if len(parts) > 1 else ""
    return layer, kind


def _in_order(wanted, stored):
    """The arrays under our names, one after the other, if their kinds have the same order."""
    places = list(wanted)
    if [kind for _, kind in stored] != [kind for _, kind in places]:
        return stored
    return dict(zip(places, stored.values()))


def _list(names):
    """The first three names, and the number of the others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def read_sets(path, method):
    """Reads the sets of arrays in a file, one for each network.

    method: name of the method; a .wt file of SSDN also says how its model was trained.

    Returns:
        (list of dict of name -> array; settings; raw noise level or None).

    Raises:
        weight_files.WeightError: the file holds no set of arrays, or is not readable.
    """
    content = weight_files.read(path)
    try:
        if method == "ssdn_tf" and (model := ssdn_wt.find(content)) is not None:
            return model.sets, model.settings, model.raw_noise
        sets = [part for part in weight_files.tensors(content) if len(part) > 1]
    except weight_files.WeightError as error:
        raise weight_files.WeightError(f"{path}: {error}.") from error
    if not sets:
        raise weight_files.WeightError(f"{path}: holds no sets of named arrays.")
    return sets, {}, None


def _channels(arrays, is_torch):
    """Number of input channels of the first kernel; None if there is no kernel."""
    kernel = next((v for v in arrays.values() if np.ndim(v) == 4), None)
    return None if kernel is None else int(kernel.shape[1 if is_torch else 2])


def _is_torch(sets):
    """Whether kernels are PyTorch's, (out, in, H, W), and not TensorFlow's, (H, W, in, out)."""
    kernels = [v for v in sets[0].values() if np.ndim(v) == 4]
    return bool(kernels) and all(v.shape[2] == v.shape[3] <= 7 for v in kernels)


def read_n2v(path, given):
    """Reads a model folder of juglab's n2v.

    Args:
        path: of the folder.
        given: dict of settings that the user gave, which change the configuration.

    Returns:
        (configuration, Denoiser).

    Raises:
        weight_files.WeightError: it is not such a folder, or a damaged one.
    """
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
    """Refuses a configuration whose network is far larger than the weight files in the folder."""
    try:
        settings = json.loads((folder / "config.json").read_text())
        first, depth = int(settings["unet_n_first"]), int(settings["unet_n_depth"])
        widest = first * 2.0 ** min(depth, 100)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise weight_files.WeightError(
            f"{folder}/config.json: not a configuration of n2v ({type(error).__name__}: {error})."
        ) from error
    stored = max((path.stat().st_size for path in folder.glob("*.h5")), default=0)
    # Bytes of the kernels in the network's middle alone, as float32.
    if not first > 0 or not depth >= 0 or 4 * 9 * widest**2 / 2 > 2 * max(stored, 10**6):
        raise weight_files.WeightError(
            f"{folder}: the weights are too few for the network in config.json, with {first} "
            f"features at the first of {depth} levels."
        )


def read_networks(method, path, config, given, named=True):
    """Reads a file of arrays, whose first set belongs to the main network.

    Args:
        method: the Method.
        path: of the file.
        config: configuration of the model; channels and width are taken from the arrays.
        given: dict of settings that the user gave, which change the configuration.
        named: whether the user named the configuration; otherwise what the file says comes first.

    Returns:
        (configuration, Denoiser).

    Raises:
        weight_files.WeightError: the weights belong to another network.
    """
    sets, described, raw_noise = read_sets(path, method.name)
    is_torch = _is_torch(sets)
    channels = _channels(sets[0], is_torch)
    settings = {"channels": channels} if channels in config.CHANNELS else {}
    if not named:
        settings |= described
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
                f"{path}: holds one network. This configuration, noise_params=per_image, needs a "
                "second one, which estimates the noise."
            )
        fill(noise_network, sets[1], path, is_torch=is_torch)
    elif len(sets) > 1:
        raise weight_files.WeightError(
            f"{path}: holds {len(sets)} networks, but this configuration has one; choose another "
            "with --config=..."
        )
    if getattr(denoiser, "raw_noise", None) is not None:
        if raw_noise is not None:
            denoiser.raw_noise.assign([[[[raw_noise / config.raw_noise_scale]]]])
            return config, denoiser
        raise weight_files.WeightError(
            f"{path}: the noise level that a model with noise_params=global has learned is not in "
            "its weight file; import it as a model of known noise: "
            "--config=gauss25-blindspot-sigma_known."
        )
    return config, denoiser


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_enum(
        "method", None, list(ORIGINALS), "Method that the weights belong to. Required."
    )
    absl_flags.DEFINE_string(
        "input", None, "Weight file, or model folder of juglab's n2v. Required."
    )
    absl_flags.DEFINE_string("run_dir", None, "Run folder to make. Required.")
    absl_flags.DEFINE_bool(
        "as_original",
        False,
        "n2v_tf: of a model with a network for each channel, give all of them the last channel, as "
        "the original does by mistake.",
    )
    absl_flags.DEFINE_string(
        "config", None, "Named configuration of the model [what the file says, or the default]."
    )
    absl_flags.DEFINE_string(
        "noise",
        None,
        "Noise that the model was trained on, for instance gauss25 [that of the configuration; "
        "n2v_tf: none].",
    )


def convert(method, path, run_dir, *, name=None, noise=None, as_original=False):
    """Makes a run folder from a weight file.

    Args:
        method: the Method.
        path: of the file, or of juglab's folder.
        run_dir: run folder to make, a pathlib.Path that does not exist yet.
        name: of a named configuration; None for what the file says, or else the method's default.
        noise: noise string of the model's noise; None for that of the configuration.
        as_original: whether a model of juglab's n2v makes that program's mistake too.

    Returns:
        (configuration, Denoiser).

    Raises:
        ValueError: the weights or settings are not usable; nothing is written then.
    """
    if run_dir.exists():
        raise runs.RunError(f"{run_dir}: is there already; choose another --run_dir.")
    named = name is not None
    name = name or method.default
    configuration.expect("config", name, list(method.named))
    changes = {} if noise is None else {"noise": noise, "validation_noise": noise}
    if method.name == "n2v_tf":
        if name != method.default:
            raise ValueError(f"config={name!r}: a model folder of n2v has its own configuration.")
        if as_original:
            changes["last_channel_to_all"] = True
        config, denoiser = read_n2v(path, changes)
    elif as_original:
        raise ValueError("as_original: only models of juglab's n2v have two ways.")
    else:
        config, denoiser = read_networks(method, path, method.named[name], changes, named)
    with atomic.replacing_folder(run_dir) as temporary:
        runs.save_config(temporary, method.name, config)
        runs.save_weights(temporary, denoiser)
    return config, denoiser


def run():
    """Makes the run folder that the flags describe, and prints what it is."""
    flags.require("method", "input", "run_dir")
    run_dir = pathlib.Path(FLAGS.run_dir)
    method = methods.find(FLAGS.method)
    config, denoiser = convert(
        method,
        FLAGS.input,
        run_dir,
        name=FLAGS.config,
        noise=FLAGS.noise,
        as_original=FLAGS.as_original,
    )
    print(
        f"{run_dir}: a run of {method.name}, {config.channels} channels, noise {config.noise}, "
        f"{denoiser.count_params()} parameters. Try it: python -m {method.name}.denoise "
        f"--run_dir={run_dir} --input=... --output=..."
    )


def main():
    """Runs `noise2x import`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
