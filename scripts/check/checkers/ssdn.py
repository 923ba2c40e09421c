"""Checkers of SSDN: networks, likelihoods, posteriors, losses."""

import functools

import keras
import numpy as np
from keras import ops

from common.networks import losses, upsampling
from scripts.check import golden_files
from scripts.check.checkers.comparing import (
    close,
    close_but_for_kinks,
    gradients,
    weight_gradient,
)
from ssdn_tf import likelihood, network


def check_backbone(arrays, meta):
    """Compares a network's output and gradients, and the exact zeros that make it blind."""
    arguments = meta["arguments"]
    image = arrays["input"]
    build = functools.partial(
        network.build_network,
        image.shape[-1],
        outputs=arguments["num_output_components"],
        blindspot=arguments["blindspot"],
        zero_last=arguments["zero_last"],
    )
    net = build()
    # Each leaky ReLU and pooling has a kink, where rounding decides between two gradients. Summed
    # over the image, these are compared in the network with the original's order of operations;
    # that is enough on Zen 4, while on Zen 3 the norms of the differences are 1e-4 to 2.5e-3.
    with upsampling.portable():
        written_out = build()
    yield close("weights", golden_files.check_sums(arrays, meta), 0.0, atol=1e-4)
    golden_files.set_weights(net, meta)
    golden_files.set_weights(written_out, meta)
    tolerance = {"rtol": 1e-4, "atol": 2e-4}
    yield close("parameters", net.count_params(), meta["parameters"])
    yield close("output", net(image), arrays["output"], **tolerance)

    (by_input,) = gradients(lambda x: ops.sum(written_out(x) * arrays["cotangent"]), image)
    kinks = tolerance | {"norm": 0.01}
    yield close_but_for_kinks("gradient/input", by_input, arrays["gradient/input"], **kinks)
    for position, (y, x) in {"centre": meta["centre"], "corner": (0, 0)}.items():
        yield from _check_position(net, arrays, position, y, x)

    for name in ("enc_conv0/kernel", "nin_c/bias"):
        layer, variable = name.split("/")
        weight = getattr(written_out.get_layer(layer), variable)
        value = weight_gradient(written_out, weight, image, arrays["cotangent"])
        yield close_but_for_kinks(f"gradient/{name}", value, arrays[f"gradient/{name}"], **kinks)


def _check_position(net, arrays, position, y, x):
    """Compares gradients of an output pixel: by its own input pixel (0 if blind), by all others."""
    theirs = arrays[f"{position}_gradient"]
    absolute = 0.0
    own = []
    for k in range(theirs.shape[0]):
        (gradient,) = gradients(lambda i, k=k: net(i)[0, y, x, k], arrays["input"])
        gradient = np.asarray(gradient)[0]
        own.append(gradient[y, x])
        absolute = absolute + np.abs(gradient).sum(axis=-1)
    if not theirs.any():
        yield close(f"{position}_gradient, blind", np.array(own), theirs)
    else:
        yield close(f"{position}_gradient", np.array(own), theirs, rtol=1e-4, atol=2e-4)
    map_name = f"gradient_map_{position}"
    yield close(map_name, absolute, arrays[map_name], rtol=1e-4, atol=2e-4)


def check_comp6248(arrays, meta):
    """Compares with the PyTorch reimplementation, on inputs and weights of the backbone files."""
    for name in sorted(arrays):
        case = name.split("/")[0]
        inputs, inputs_meta = golden_files.load(f"ssdn_backbone_{case}", meta["folder"])
        net = network.build_network(
            inputs["input"].shape[-1],
            outputs=arrays[name].shape[-1],
            blindspot=case.startswith("blindspot"),
        )
        golden_files.set_weights(net, inputs_meta)
        yield close(name, net(inputs["input"]), arrays[name], rtol=1e-4, atol=2e-4)


def check_pipeline(arrays, meta):
    """Compares likelihood and posterior, in float64 everywhere, in float32 without edge rows."""
    per_image = meta["arguments"]["noise_params"] == "per_image"
    if keras.backend.backend() != "jax":  # JAX turns float64 into float32
        rtol = 1e-5 if per_image else 1e-6
        yield from _check_pipeline(arrays, meta, "float64", slice(None), rtol, atol=1e-7)
    yield from _check_pipeline(arrays, meta, "float32", slice(4, None), 1e-4, atol=2e-4)


def _check_pipeline(arrays, meta, dtype, rows, rtol, atol):
    """Compares one precision; atol: of the posterior mean and the deviations, values about 1."""
    arguments = meta["arguments"]
    estimated = arguments["noise_params"] != "known"
    key = "raw_noise_estimate" if estimated else "noise_params"
    noisy = ops.convert_to_tensor(arrays["noisy"], dtype)

    def run(outputs, raw):
        noise = raw
        if arguments["noise_params"] == "per_image":
            # The original computes this mean in float32, also in its float64 run.
            noise = ops.mean(ops.cast(noise, "float32"), axis=(1, 2), keepdims=True)
            noise = ops.cast(noise, dtype)
        return likelihood.bayes(
            outputs,
            noisy,
            likelihood.noise_from_raw(noise) if estimated else noise,
            noise_model=arguments["noise_style"],
            estimated=estimated,
            diagonal_covariance=arguments["diagonal_covariance"],
        )

    inputs = [ops.convert_to_tensor(arrays[name], dtype) for name in ("raw_output", key)]
    result = {name: np.asarray(value) for name, value in run(*inputs).items()}
    loss = arrays["loss_out"].reshape(arrays["loss_out"].shape[:3])
    ours = ops.convert_to_numpy(ops.mean(run(*inputs)["loss"]))
    label = dtype[-2:]
    # In float32 a loss near 0 is a difference of terms of about 1, so its error is relative to 1.
    floor = 0.0 if dtype == "float64" else rtol
    yield close(f"{label} loss", result["loss"][:, rows], loss[:, rows], rtol=rtol, atol=floor)
    yield close(f"{label} mean loss", ours, arrays["loss_mean"], rtol=rtol)
    for name, theirs in (("mean", "mu_x"), ("denoised", "pme_out")):
        yield close(
            f"{label} {theirs}",
            result[name][:, rows],
            arrays[theirs][:, rows],
            rtol=rtol,
            atol=atol,
        )
    std = result["mean_std"][..., 0]
    yield close(
        f"{label} net_std", std[:, rows], arrays["net_std_out"][:, rows], rtol=rtol, atol=atol
    )
    noise_std = result["noise_std"][..., 0]
    yield close(f"{label} noise_std", noise_std, arrays["noise_std_out"], rtol=rtol, atol=atol)

    by_inputs = gradients(lambda *values: ops.mean(run(*values)["loss"]), *inputs)
    for name, gradient in zip(("raw_output", key), by_inputs):
        if f"gradient/{name}" not in arrays:
            continue
        theirs = arrays[f"gradient/{name}"]
        part = rows if theirs.shape[1] > 4 else slice(None)
        gradient, theirs = np.asarray(gradient)[:, part], theirs[:, part]
        scale = float(np.abs(theirs).max())
        yield close(f"{label} gradient/{name}", gradient, theirs, rtol=rtol, atol=rtol * scale)


def check_simple_pipeline(arrays, meta):
    """Compares losses of the baselines; their names hold noise, targets and exponent."""
    for name in sorted({key.split("/")[0] for key in arrays if "/" in key}):
        exponent = float(name.rpartition("_L")[2])
        anneals = name.startswith("impulse_noisy_targets_True")

        def loss(output, anneals=anneals, exponent=exponent):
            if anneals:
                return losses.mean_power(output, arrays["reference"], exponent)
            return losses.mean_square(output, arrays["reference"])

        output = ops.convert_to_tensor(arrays["raw_output"])
        yield close(name, loss(output), arrays[f"{name}/loss_mean"], rtol=1e-5)
        (gradient,) = gradients(loss, output)
        theirs = arrays[f"{name}/gradient/raw_output"]
        yield close(f"{name} gradient", gradient, theirs, rtol=1e-5, atol=1e-9)
