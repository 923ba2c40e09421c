"""Checkers of Noise2Noise: the U-Net, and the sampling and replacement of MRI spectra."""

import numpy as np
from keras import ops

from common.evaluation import quality
from common.networks import unet
from n2n_tf import network
from n2n_tf.mri import configs, denoiser, spectrum
from scripts.check import golden_files
from scripts.check.checkers.comparing import close, gradients, weight_gradient

NETWORK = {"rtol": 1e-4, "atol": 2e-4}


def check_network(arrays, meta):
    """Compares the U-Net's output and three gradients on an image that is not square."""
    image, cotangent = arrays["input"], arrays["cotangent"]
    net = network.build_network(image.shape[-1])
    yield close("weights", golden_files.check_sums(arrays, meta), 0.0, atol=1e-4)
    golden_files.set_weights(net, meta)
    yield close("parameters", net.count_params(), meta["parameters"])
    yield close("output", net(image), arrays["output"], **NETWORK)
    (by_input,) = gradients(lambda x: ops.sum(net(x) * cotangent), image)
    yield close("gradient/input", by_input, arrays["gradient/input"], **NETWORK)
    for name in ("enc_conv0/kernel", "dec_conv1/bias"):
        layer, variable = name.split("/")
        ours = weight_gradient(net, getattr(net.get_layer(layer), variable), image, cotangent)
        yield close(f"gradient/{name}", ours, arrays[f"gradient/{name}"], **NETWORK)


def check_mri(arrays, meta):
    """Compares sampling, replaced frequencies, shifts, and the network with its padding."""
    for case in sorted({key.split("/")[0] for key in arrays if key.startswith("p0")}):
        yield from _check_sampling(case, {k: arrays[f"{case}/{k}"] for k in _SAMPLING})
    profile = spectrum.keep_probability(255, 255, 0.025)
    yield close("profile, row", profile[127], arrays["profile_255/centre_row"], atol=1e-6)
    diagonal = np.diagonal(profile)
    yield close("profile, diagonal", diagonal, arrays["profile_255/diagonal"], atol=1e-6)
    mean = profile.mean(dtype=np.float64)
    yield close("profile, mean", mean, arrays["profile_255/mean"], atol=1e-6)
    draws = np.random.default_rng(0).random((20, 255, 255), np.float32)
    kept = (spectrum.draw_density(profile, draws) > 0).mean()
    yield close("kept, measured", kept, arrays["profile_255/kept_fraction_measured"], rtol=0.02)
    shifted = np.roll(arrays["augment/image"], arrays["augment/translation_yx"], axis=(0, 1))
    yield close("shifted", shifted, arrays["augment/image_out"])

    entry = meta["autoencoder"]
    sums = {"weight_check": arrays["autoencoder/weight_check"]}
    yield close("weights", golden_files.check_sums(sums, entry), 0.0, atol=1e-4)
    model = denoiser.Denoiser(configs.NAMED[configs.DEFAULT])
    golden_files.set_weights(model.network, entry)
    image = arrays["autoencoder/input"][..., None]
    ours = unet.run_padded(model.network, image, padding=-0.5)[..., 0]
    yield close("network, padded", ours, arrays["autoencoder/output"], **NETWORK)
    # The denoiser, with no measured frequency: it must return the network's output unchanged.
    result = model({"noisy": image + 0.5, "density": np.zeros_like(image)})["denoised"]
    yield close("denoiser", result[..., 0] - 0.5, arrays["autoencoder/output"], **NETWORK)


_SAMPLING = (
    "image",
    "uniform",
    "keep_probability_threshold",
    "keep_mask",
    "corrupted",
    "spectrum_value_real",
    "spectrum_value_imag",
    "denoised",
    "post_op_fspec",
)


def _check_sampling(case, theirs):
    """Compares one case of sampling with the original's random draws."""
    image = theirs["image"]
    edge = float(case.split("_")[0].removeprefix("p"))
    probability = spectrum.keep_probability(*image.shape[1:], edge)
    name = "keep_probability_threshold"
    yield close(f"{case} {name}", probability, theirs[name], atol=1e-6)
    density = spectrum.draw_density(probability, theirs["uniform"])
    yield close(f"{case} keep_mask", density > 0, theirs["keep_mask"])
    corrupted = spectrum.corrupt(image, density)
    yield close(f"{case} corrupted", corrupted, theirs["corrupted"], atol=1e-5)
    measured = np.fft.fftshift(np.fft.fft2(corrupted), axes=(1, 2)) * density
    value = theirs["spectrum_value_real"] + 1j * theirs["spectrum_value_imag"]
    error = np.abs(measured - value) / np.abs(value).max()
    yield close(f"{case} spectrum_value", error, 0 * error, atol=1e-6)
    inputs = (x[..., None] for x in (theirs["denoised"], corrupted, density))
    ours = spectrum.put_back(*(ops.convert_to_tensor(x) for x in inputs))[..., 0]
    yield close(f"{case} post_op_fspec", ours, theirs["post_op_fspec"], atol=2e-5)
    scores = [
        quality.psnr_clamped(image[0] + 0.5, x[0] + 0.5) for x in (ours, theirs["post_op_fspec"])
    ]
    yield close(f"{case} PSNR of it", *map(np.array, scores), atol=1e-4)
