"""Checkers of D-BSN: backbone, networks of variances, Bayes' rule, losses."""

import numpy as np
from keras import ops

from dbsn_tf import denoiser, likelihood, network
from scripts.check import golden_files
from scripts.check.checkers.comparing import close, gradients

BACKBONES = ("mask", "mask_nobias", "trimmed", "trimmed_nobias")
NOISES = {
    "gaussian": "white",
    "poisson_gaussian": "signal",
    "multivariate_gaussian": "multivariate",
}
ENTRIES = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # of a covariance, see triangular


def check_all(arrays, meta):
    """Compares everything in a file, grey or colour."""
    for case in BACKBONES:
        yield from _check_backbone(arrays, meta, case)
    for theirs, ours in NOISES.items():
        if theirs in meta:
            yield from _check_restoring(arrays, meta, theirs, ours)
    yield from _check_losses(arrays)
    if "mwcnn" in meta:
        yield from _check_mwcnn(arrays, meta)


def _check_backbone(arrays, meta, case):
    """Compares mean and features, and the zero that makes the network blind."""
    noisy, of_case = arrays["noisy"], meta[f"backbone_{case}"]
    blind, _, no_bias = case.partition("_")
    arguments = {"width": of_case["arguments"]["mid_ch"], "blind": blind, "has_bias": not no_bias}
    net = network.build_backbone(noisy.shape[-1], **arguments)
    theirs = {
        name: arrays[f"backbone_{case}/{name}"] for name in ("mu", "features", "weight_check")
    }
    yield close(f"{case} weights", golden_files.check_sums(theirs, of_case), 0.0, atol=1e-4)
    golden_files.set_weights(net, of_case)
    for name, ours in zip(("mu", "features"), net(noisy), strict=True):
        tolerance = {"rtol": 1e-3, "atol": 1e-3 * float(theirs[name].std())}
        yield close(f"{case} {name}", ours, theirs[name], **tolerance)
    y, x = of_case["centre"]
    (by_input,) = gradients(lambda image: ops.sum(net(image)[0][0, y, x]), noisy)
    by_input = np.asarray(by_input)
    yield close(
        f"{case} gradient by the pixel itself", by_input[0, y, x], np.zeros(noisy.shape[-1])
    )


def _check_restoring(arrays, meta, theirs, ours):
    """Compares the networks of variances, the covariances and the restored image."""
    noisy, mu = arrays["noisy"], arrays[f"{theirs}/mu_in"]
    channels = noisy.shape[-1]
    given = {"sigma_mu": arrays[f"{theirs}/features_in"]}
    given["sigma_n"] = mu if ours == "signal" else noisy
    outputs = {}
    for name, image in given.items():
        expected = arrays[f"{theirs}/{name}_net_output"]
        net = network.build_variance_network(
            image.shape[-1],
            expected.shape[-1],
            depth={"sigma_mu": 3, "sigma_n": 5}[name],
            width=denoiser.WIDTHS[channels],
            offset=denoiser.OFFSET if (name, channels) == ("sigma_n", 1) else 0.0,
            last="conv_final" if name == "sigma_n" else "",
        )
        golden_files.set_weights(net, meta[theirs][f"{name}_net"])
        outputs[name] = net(image)
        yield close(f"{theirs} {name} network", outputs[name], expected, rtol=1e-5, atol=1e-5)
    var_mu = likelihood.mean_variance(outputs["sigma_mu"], channels=channels)
    # The original's test script of grey images averages the noise's output and forgets about it.
    var_n = likelihood.noise_variance(
        outputs["sigma_n"],
        channels=channels,
        per_image=ours == "white" and channels == 3,
        multivariate=ours == "multivariate",
    )
    for name, covariance in (("sigma_mu", var_mu), ("sigma_n", var_n)):
        expected = arrays[f"{theirs}/{name}"]
        yield close(f"{theirs} {name}", _full(covariance, expected), expected, rtol=1e-4, atol=1e-6)
    denoised, _ = likelihood.restore(noisy, mu, var_mu, var_n)
    tolerance = 1e-6 if channels == 1 else 1e-4
    yield close(f"{theirs} denoised", denoised, arrays[f"{theirs}/denoised_gamma1"], atol=tolerance)
    if f"{theirs}/denoised_as_in_training_validation" in arrays:
        averaged = likelihood.noise_variance(outputs["sigma_n"], channels=1, per_image=True)
        denoised, _ = likelihood.restore(noisy, mu, var_mu, averaged)
        expected = arrays[f"{theirs}/denoised_as_in_training_validation"]
        yield close(f"{theirs} denoised, one strength an image", denoised, expected, atol=1e-6)


def _check_losses(arrays):
    """Compares the losses and their gradients by mean and covariances."""
    names = ("target", "mu", "sigma_mu", "sigma_n")
    noisy, mu, *covariances = (arrays[f"losses/{name}"] for name in names)
    if mu.shape[-1] == 3:
        covariances = [tuple(c[..., i, j] for i, j in ENTRIES) for c in covariances]
    clamp = {} if mu.shape[-1] == 1 else {"least_determinant": likelihood.LEAST_DETERMINANT}
    cases = {
        "MAPLoss": (likelihood.marginal, clamp),
        "MAPLoss_Pretrain": (likelihood.marginal, {}),
        "DBSNLoss": (likelihood.constrained, clamp),
        "DBSNLoss_Pretrain": (likelihood.constrained, clamp),
    }
    for name, (loss, settings) in cases.items():

        def mean_loss(mu, *entries, loss=loss, settings=settings):
            half = len(entries) // 2
            parts = (entries[0], entries[1]) if half == 1 else (entries[:half], entries[half:])
            return ops.mean(loss(noisy, mu, *parts, **settings))

        flat = [entry for c in covariances for entry in (c if isinstance(c, tuple) else (c,))]
        value = mean_loss(mu, *flat)
        yield close(f"{name} value", value, arrays[f"losses/{name}/value"], rtol=1e-4)
        by_mu, *by_entries = (np.asarray(g, np.float64) for g in gradients(mean_loss, mu, *flat))
        if f"losses/{name}/gradient_mu" in arrays:  # those of the variances alone fix the mean
            expected = arrays[f"losses/{name}/gradient_mu"]
            yield close(
                f"{name} gradient/mu",
                by_mu,
                expected,
                rtol=1e-4,
                atol=1e-6 * float(np.abs(expected).max()),
            )
        half = len(by_entries) // 2
        for which, ours in (("sigma_mu", by_entries[:half]), ("sigma_n", by_entries[half:])):
            expected = _by_entries(arrays[f"losses/{name}/gradient_{which}"].astype(np.float64))
            # Determinants near their clamp decide by rounding; compared by the norm.
            difference = np.linalg.norm(np.stack(ours, axis=-1) - expected)
            relative = difference / np.linalg.norm(expected)
            yield close(f"{name} gradient/{which}, norm", relative, 0.0, atol=1e-3)


def _check_mwcnn(arrays, meta):
    """Compares the wavelet transform and the second denoiser."""
    from dbsn_tf import mwcnn

    two = arrays["mwcnn/dwt_two_channels_input"]
    yield close("haar, two channels", mwcnn.haar(two), arrays["mwcnn/dwt_two_channels"], atol=1e-6)
    back = mwcnn.inverse_haar(arrays["mwcnn/dwt_two_channels"])
    yield close("inverse haar", back, arrays["mwcnn/iwt_of_dwt_two_channels"], atol=1e-6)
    net = mwcnn.build_network(1)
    yield close("mwcnn parameters", net.count_params(), meta["mwcnn"]["parameters"])
    golden_files.set_weights(net, meta["mwcnn"])
    output = arrays["mwcnn/output"]
    scale = 1e-3 * float(output.std())
    yield close("mwcnn", net(arrays["mwcnn/input"]), output, rtol=1e-3, atol=scale)


def _full(covariance, like):
    """A covariance as the original holds it, (N, H, W, 1) or (N, H, W, 3, 3)."""
    if not isinstance(covariance, tuple):
        return np.broadcast_to(covariance, like.shape)
    full = np.zeros(like.shape)
    for (i, j), entry in zip(ENTRIES, covariance, strict=True):
        full[..., i, j] = full[..., j, i] = entry
    return full


def _by_entries(gradient):
    """A gradient by a symmetric matrix, as one by its six entries; (N, H, W, 1, 1) for grey."""
    if gradient.shape[-2:] != (3, 3):
        return gradient[..., None]
    both = gradient + np.swapaxes(gradient, -1, -2)
    return np.stack([both[..., i, j] / (2 if i == j else 1) for i, j in ENTRIES], axis=-1)
