"""Checkers of what all methods share: schedules, PSNR, noise."""

import numpy as np

from common import noise as noises
from common.data import pipeline
from common.evaluation import quality
from common.files import pixels
from common.networks import metrics
from common.training import schedules
from n2n_tf.mri import epoch_schedules
from scripts.check.checkers.comparing import close


def check_schedules(arrays, meta):
    """Compares learning rates, SSDN's annealed exponent, and beta_1 of the MRI training."""
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
    for name, steps, share in (("default_300k", 3e5, 0.3), ("long_500k", 5e5, 0.5)):
        ours = [
            schedules.ramped_rate(float(i), steps, 3e-4, ramp_up=0.0, ramp_down=share)
            for i in arrays[f"n2n/{name}/i"]
        ]
        yield close(f"n2n/{name}", ours, arrays[f"n2n/{name}/lrate"], atol=1e-12)
    epochs = [float(epoch) for epoch in arrays["n2n_mri/epoch"]]
    rates = [1e-3 * epoch_schedules.rate(epoch) for epoch in epochs]
    yield close("n2n_mri/lrate", rates, arrays["n2n_mri/lrate"], atol=1e-12)
    ours = [epoch_schedules.beta_1(epoch) for epoch in epochs]
    yield close("n2n_mri/adam_beta1", ours, arrays["n2n_mri/adam_beta1"], atol=1e-12)


def check_psnr(arrays, meta):
    """Compares 8-bit rounding, PSNR of both repositories, and colour to grey and back."""
    for name, shift in (("clip_to_uint8_01", 0.0), ("clip_to_uint8_05", 0.5)):
        value = arrays[f"{name}/input"].astype(np.float64) + shift
        theirs = arrays[f"{name}/output_numpy"].astype(int)
        ours = pixels.from_unit(value, np.uint8).astype(int)
        from_edge = np.abs((value * 255.0 + 0.5) - np.round(value * 255.0 + 0.5)) / 255.0
        differs = (ours != theirs) & (from_edge > 1e-6)
        yield close(name, np.count_nonzero(differs), 0)
    a, b = arrays["ssdn/a"], arrays["ssdn/b"]
    ours = [quality.psnr(x, y) for x, y in zip(a, b)]
    yield close("ssdn/psnr_per_image", ours, arrays["ssdn/psnr_per_image_numpy"], atol=1e-5)
    mean = metrics.MeanPSNR()
    mean.update_state(a, b)
    theirs = arrays["ssdn/psnr_per_image_tensorflow"].mean()
    yield close("training's mean PSNR", mean.result(), theirs, atol=1e-5)
    a, b = arrays["ssdn/uint8_a"], arrays["ssdn/uint8_b"]
    ours = [quality.psnr(x, y) for x, y in zip(a, b)]
    yield close("ssdn/psnr_uint8", ours, arrays["ssdn/psnr_uint8"], atol=1e-5)
    yield close("identical is infinite", np.isinf(quality.psnr(a[0], a[0])), True)
    grey = np.arange(256, dtype=np.uint8)
    back = pixels.from_unit(pixels.to_unit(grey), np.uint8)
    yield close("uint8 round trip", back, arrays["ssdn/uint8_through_float_roundtrip"])
    ours = [
        quality.psnr(clean + np.float32(0.5), np.uint8(output) / np.float32(255))
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
        yield close(name, pixels.to_channels(source, channels), arrays[prefix + name])
    ours = pixels.to_channels(arrays[f"{prefix}float_in"], 1)
    yield close("float_to_mono", ours, arrays[f"{prefix}float_to_mono"], atol=1e-6)


# Noise string -> name of the same noise in the golden file.
STYLES = {
    "gauss25": "ssdn_gauss25",
    "gauss5_50": "ssdn_gauss5_50",
    "poisson30": "ssdn_poisson30",
    "poisson5_50": "ssdn_poisson5_50",
    "impulse50": "ssdn_impulse50",
    "impulse0_100": "ssdn_impulse0_100",
    "gauss0_50": "n2n_gaussian_train",
    "poisson0.001_50": "n2n_poisson_train",
    "gauss25, n2n": "n2n_gaussian_val",
    "poisson30, n2n": "n2n_poisson_val",
}


def check_noise(arrays, meta):
    """Compares moments of the noise on constant images at five levels."""
    for style, original in STYLES.items():
        theirs = {
            key.split("/")[1]: arrays[key] for key in arrays if key.startswith(f"{original}/")
        }
        # The images of Noise2Noise are on [-0.5, 0.5].
        shift = 0.5 if original.startswith("n2n") else 0.0
        yield from _check_noise_style(style, theirs, shift, arrays["quantiles"])


def _check_noise_style(style, theirs, shift, quantiles):
    """Compares one noise; shift: of the original's image range from [0, 1]."""
    import tensorflow as tf

    noise = noises.parse(style.split(",")[0])
    # Every image has one draw of a range's strength. To have many of them, there are more images
    # than the original's, and they are smaller.
    count = 4 * int(theirs["n_images"])
    stds, kept, pooled, coefficients = [], [], [], []

    @tf.function
    def draw(level):
        clean = tf.fill((12, 12, 3), level)
        return tf.map_fn(
            lambda n: pipeline.corrupt(clean, noise, 7, n),
            tf.range(count),
            fn_output_signature=(tf.float32, tf.float32),
        )

    for level in theirs["level"]:
        noisy, strengths = (x.numpy() for x in draw(tf.constant(np.float32(level + shift))))
        noisy = noisy - np.float32(shift)
        pooled.append(noisy.reshape(-1))
        stds.append(noisy.std(axis=(1, 2, 3)))
        kept.append((noisy == level).all(axis=-1).mean())
        coefficients.append(strengths)
    if style == "poisson0.001_50":
        # Single images dominate its moments and its extreme quantiles, which have heavy tails, so
        # only the inner quantiles are compared.
        inner = (quantiles > 0) & (quantiles < 1)
        ours = np.stack([np.quantile(std, quantiles[inner]) for std in stds])
        named = theirs["per_image_std_quantiles"][:, inner]
        yield close(f"{style} quantiles", ours, named, rtol=0.12, atol=1e-12)
        return
    ranged = {"gauss5_50": 0.06, "gauss0_50": 0.06, "poisson5_50": 0.08, "impulse0_100": 0.06}
    tolerance = ranged.get(style, 0.02)
    variance = np.array([p.var(dtype=np.float64) for p in pooled])
    mean = np.array([p.mean(dtype=np.float64) for p in pooled])
    if noise.is_fixed:
        # Both means are estimates; they may differ by five standard deviations.
        spread = np.sqrt(theirs["variance"] * (1 / theirs["n_samples"] + 1 / pooled[0].size))
        bound = np.abs(mean - theirs["mean"]) / np.maximum(spread, 1e-12)
        yield close(f"{style} mean, deviations", bound, 0 * bound, atol=5.0)
    yield close(f"{style} variance", variance, theirs["variance"], rtol=tolerance, atol=1e-12)
    if "fraction_kept" in theirs:
        yield close(f"{style} kept", np.array(kept), theirs["fraction_kept"], atol=0.02)
    lowest, highest = min(p.min() for p in pooled), max(p.max() for p in pooled)
    if not style.startswith("impulse"):
        top, bottom = 1.0 - shift, -shift
        yield close(f"{style} unclipped above", highest > top, theirs["max"] > top)
        yield close(f"{style} unclipped below", lowest < bottom, theirs["min"] < bottom)
