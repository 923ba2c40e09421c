"""What `crosscheck` compares, a small function for each family of golden files.

A checker takes (arrays, meta) of a file and yields rows. Tolerances are those of the files' README.
"""

import dataclasses
import fnmatch

import keras
import numpy as np
from keras import ops

from common import images, losses, metrics, noise_levels, schedules
from scripts import golden_files
from ssdn_tf import likelihood, network


@dataclasses.dataclass(frozen=True)
class Row:
    """One compared quantity: largest absolute difference, tolerance in words, verdict."""

    quantity: str
    difference: float
    tolerance: str
    ok: bool


def close(quantity, ours, theirs, *, rtol=0.0, atol=0.0):
    """Row of |ours - theirs| <= atol + rtol * |theirs|, everywhere."""
    ours, theirs = (np.asarray(x, np.float64) for x in (ours, theirs))
    if ours.shape != theirs.shape:
        return Row(f"{quantity}: shape {ours.shape}, not {theirs.shape}", np.inf, "", False)
    difference = np.abs(ours - theirs)
    ok = bool((difference <= atol + rtol * np.abs(theirs)).all())  # NaN is not
    terms = [f"{atol:g}"] * (atol > 0) + [f"{rtol:g} rel"] * (rtol > 0)
    return Row(quantity, float(difference.max()), " + ".join(terms) or "exact", ok)


def gradients(function, *values):
    """Gradients of a scalar function with respect to each value, on TensorFlow or JAX."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function, argnums=tuple(range(len(values))))(*values)
    import tensorflow as tf

    values = [tf.convert_to_tensor(value) for value in values]
    with tf.GradientTape() as tape:
        for value in values:
            tape.watch(value)
        result = function(*values)
    return tape.gradient(result, values, unconnected_gradients="zero")


def check_backbone(arrays, meta):
    """Blind-spot and plain network: output, three gradients, and the zeros that make it blind."""
    arguments = meta["arguments"]
    image = arrays["input"]
    net = network.build_network(
        image.shape[-1],
        outputs=arguments["num_output_components"],
        blindspot=arguments["blindspot"],
        zero_last=arguments["zero_last"],
    )
    yield close("weights", golden_files.check_sums(arrays, meta), 0.0, atol=1e-4)
    golden_files.set_weights(net, meta)
    tolerance = {"rtol": 1e-4, "atol": 2e-4}
    yield close("parameters", net.count_params(), meta["parameters"])
    yield close("output", net(image), arrays["output"], **tolerance)

    (by_input,) = gradients(lambda x: ops.sum(net(x) * arrays["cotangent"]), image)
    yield close("gradient/input", by_input, arrays["gradient/input"], **tolerance)
    for position, (y, x) in {"centre": meta["centre"], "corner": (0, 0)}.items():
        yield from _check_position(net, arrays, position, y, x)

    for name in ("enc_conv0/kernel", "nin_c/bias"):
        layer, variable = name.split("/")
        value = _weight_gradient(net, getattr(net.get_layer(layer), variable), arrays)
        yield close(f"gradient/{name}", value, arrays[f"gradient/{name}"], **tolerance)


def _check_position(net, arrays, position, y, x):
    """Gradient of an output pixel by its own input pixel, exactly 0 if blind, and by all others."""
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


def _weight_gradient(net, variable, arrays):
    """Gradient of sum(output * cotangent) by one weight, through a stateless call."""
    trainable = [v.value for v in net.trainable_variables]
    index = [v is variable for v in net.trainable_variables].index(True)

    def objective(weight):
        weights = trainable[:index] + [weight] + trainable[index + 1 :]
        output, _ = net.stateless_call(weights, [], arrays["input"])
        return ops.sum(output * arrays["cotangent"])

    (gradient,) = gradients(objective, ops.convert_to_tensor(variable.value))
    return gradient


def check_comp6248(arrays, meta):
    """The PyTorch reimplementation's outputs, on inputs and weights of the backbone files."""
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
    """Likelihood and posterior: in float64 everywhere, in float32 away from the edge rows."""
    per_image = meta["arguments"]["noise_params"] == "per_image"
    if keras.backend.backend() != "jax":  # JAX turns float64 into float32
        rtol = 1e-5 if per_image else 1e-6
        yield from _check_pipeline(arrays, meta, "float64", slice(None), rtol, atol=1e-7)
    yield from _check_pipeline(arrays, meta, "float32", slice(4, None), 1e-4, atol=2e-4)


def _check_pipeline(arrays, meta, dtype, rows, rtol, atol):
    """atol: of the posterior mean and the deviations, values about 1."""
    arguments = meta["arguments"]
    estimated = arguments["noise_params"] != "known"
    key = "raw_noise_estimate" if estimated else "noise_params"
    noisy = ops.convert_to_tensor(arrays["noisy"], dtype)

    def run(outputs, raw):
        noise = raw
        if arguments["noise_params"] == "per_image":
            # The one mean that the original takes in float32.
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
    # In float32 a loss near 0 is a difference of terms of about 1: relative to those.
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

    found = gradients(lambda *values: ops.mean(run(*values)["loss"]), *inputs)
    for name, gradient in zip(("raw_output", key), found):
        if f"gradient/{name}" not in arrays:
            continue
        theirs = arrays[f"gradient/{name}"]
        part = rows if theirs.shape[1] > 4 else slice(None)
        gradient, theirs = np.asarray(gradient)[:, part], theirs[:, part]
        scale = float(np.abs(theirs).max())
        yield close(f"{label} gradient/{name}", gradient, theirs, rtol=rtol, atol=rtol * scale)


def check_simple_pipeline(arrays, meta):
    """Losses of the baselines; the name tells noise, targets and exponent."""
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


def check_schedules(arrays, meta):
    """Learning rates and the annealed exponent of SSDN; N2N's and the MRI's belong to n2n_tf."""
    settings = {
        "images_2M_mb4": (2e6, {}, 3e-4),
        "images_16M_mb4": (16e6, {}, 3e-4),
        "images_4M_mb4": (4e6, {}, 3e-4),
        "no_ramps_10": (10.0, {"ramp_up": 0.0, "ramp_down": 0.0}, 3e-4),
        "overlapping_ramps_10": (10.0, {"ramp_up": 0.7, "ramp_down": 0.6}, 1.0),
    }
    for name, (total, ramps, peak) in settings.items():
        theirs = arrays[f"ssdn/{name}/lrate"]
        ours = [
            schedules.ramped_rate(float(i), total, peak, **ramps) for i in arrays[f"ssdn/{name}/i"]
        ]
        yield close(f"ssdn/{name}", ours, theirs, atol=1e-12)
    ours = [schedules.annealed_exponent(float(i), 2e6) for i in arrays["ssdn/L_exponent_2M/i"]]
    yield close("ssdn/L_exponent_2M", ours, arrays["ssdn/L_exponent_2M/value"], atol=1e-12)


def check_psnr(arrays, meta):
    """8-bit rounding, PSNR of both repositories, colour to grey and back."""
    for name, shift in (("clip_to_uint8_01", 0.0), ("clip_to_uint8_05", 0.5)):
        value = arrays[f"{name}/input"].astype(np.float64) + shift
        theirs = arrays[f"{name}/output_numpy"].astype(int)
        ours = images.from_unit(value, np.uint8).astype(int)
        from_edge = np.abs((value * 255.0 + 0.5) - np.round(value * 255.0 + 0.5)) / 255.0
        differs = (ours != theirs) & (from_edge > 1e-6)
        yield close(name, np.count_nonzero(differs), 0)
    a, b = arrays["ssdn/a"], arrays["ssdn/b"]
    ours = [metrics.psnr(x, y) for x, y in zip(a, b)]
    yield close("ssdn/psnr_per_image", ours, arrays["ssdn/psnr_per_image_numpy"], atol=1e-5)
    mean = metrics.MeanPSNR()
    mean.update_state(a, b)
    theirs = arrays["ssdn/psnr_per_image_tensorflow"].mean()
    yield close("training's mean PSNR", mean.result(), theirs, atol=1e-5)
    a, b = arrays["ssdn/uint8_a"], arrays["ssdn/uint8_b"]
    ours = [metrics.psnr(x, y) for x, y in zip(a, b)]
    yield close("ssdn/psnr_uint8", ours, arrays["ssdn/psnr_uint8"], atol=1e-5)
    yield close("identical is infinite", np.isinf(metrics.psnr(a[0], a[0])), True)
    grey = np.arange(256, dtype=np.uint8)
    back = images.from_unit(images.to_unit(grey), np.uint8)
    yield close("uint8 round trip", back, arrays["ssdn/uint8_through_float_roundtrip"])
    ours = [
        metrics.psnr(clean + np.float32(0.5), np.uint8(output) / np.float32(255))
        for clean, output in (
            (arrays[f"n2n/clean_{i}"], arrays[f"n2n/infer_image_uint8_{i}"]) for i in range(3)
        )
    ]
    yield close("n2n/psnr_per_image", ours, arrays["n2n/psnr_per_image"], atol=1e-5)
    rgba, prefix = arrays["set_color_channels/rgba_in"], "set_color_channels/"
    for source, channels, name in (
        (rgba, 3, "rgba_to_rgb"),
        (rgba, 1, "rgba_to_mono"),
        (rgba[..., :1], 3, "mono_to_rgb"),
    ):
        yield close(name, images.to_channels(source, channels), arrays[prefix + name])
    ours = images.to_channels(arrays[f"{prefix}float_in"], 1)
    yield close("float_to_mono", ours, arrays[f"{prefix}float_to_mono"], atol=1e-6)


def check_noise(arrays, meta):
    """Moments of SSDN's noise on constant images at five levels; N2N's belong to n2n_tf."""
    for style in ("gauss25", "gauss5_50", "poisson30", "poisson5_50", "impulse50", "impulse0_100"):
        theirs = {
            key.split("/")[1]: arrays[key] for key in arrays if key.startswith(f"ssdn_{style}/")
        }
        yield from _check_noise_style(style, theirs)


def _check_noise_style(style, theirs):
    import tensorflow as tf

    from common import pipeline

    noise = noise_levels.parse(style)
    # The strengths of a range are the rarest draws: more images, smaller ones, than the original's.
    count = 4 * int(theirs["n_images"])
    stds, kept, pooled, coefficients = [], [], [], []

    @tf.function
    def draw(level):
        clean = tf.fill((12, 12, 3), level)
        return tf.map_fn(
            lambda n: pipeline.corrupt_numbered(clean, noise, 7, n),
            tf.range(count),
            fn_output_signature=(tf.float32, tf.float32),
        )

    for level in theirs["level"]:
        noisy, strengths = (x.numpy() for x in draw(tf.constant(level)))
        pooled.append(noisy.reshape(-1))
        stds.append(noisy.std(axis=(1, 2, 3)))
        kept.append((noisy == level).all(axis=-1).mean())
        coefficients.append(strengths)
    tolerance = {"gauss5_50": 0.06, "poisson5_50": 0.08, "impulse0_100": 0.06}.get(style, 0.02)
    variance = np.array([p.var(dtype=np.float64) for p in pooled])
    mean = np.array([p.mean(dtype=np.float64) for p in pooled])
    if noise.is_fixed:
        # Both means are estimates: five deviations of the difference of two.
        spread = np.sqrt(theirs["variance"] * (1 / theirs["n_samples"] + 1 / pooled[0].size))
        bound = np.abs(mean - theirs["mean"]) / np.maximum(spread, 1e-12)
        yield close(f"{style} mean, deviations", bound, 0 * bound, atol=5.0)
    yield close(f"{style} variance", variance, theirs["variance"], rtol=tolerance, atol=1e-12)
    if "fraction_kept" in theirs:
        yield close(f"{style} kept", np.array(kept), theirs["fraction_kept"], atol=0.02)
    lowest, highest = min(p.min() for p in pooled), max(p.max() for p in pooled)
    if not style.startswith("impulse"):
        yield close(f"{style} unclipped above", highest > 1.0, theirs["max"] > 1.0)
        yield close(f"{style} unclipped below", lowest < 0.0, theirs["min"] < 0.0)


CHECKERS = {
    "ssdn_backbone_*": check_backbone,
    "ssdn_pipeline_*": check_pipeline,
    "ssdn_simple_pipeline": check_simple_pipeline,
    "comp6248_unet": check_comp6248,
    "lr_schedules": check_schedules,
    "psnr": check_psnr,
    "noise_stats": check_noise,
}


def find(name):
    """The checker of a fixture, or None."""
    for pattern, checker in CHECKERS.items():
        if fnmatch.fnmatch(name, pattern):
            return checker
    return None
