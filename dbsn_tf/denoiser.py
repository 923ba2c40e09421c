"""The D-BSN denoiser: blind-spot network, networks of variances and Bayes' rule in one model."""

import numpy as np
from keras import ops

from common.networks import base, losses
from dbsn_tf import likelihood, network

WIDTHS = {1: 16, 3: 32}  # of the networks of variances, by the channels of the image
OFFSET = 3e-4  # that the original adds to the output of the noise's network, of grey images


class Denoiser(base.Denoiser):
    """Restores images (N, H, W, C) of any size. The result has

    denoised: E[x | y] by Bayes' rule; after the first stage of the training alone, mu
    mean: mu, the prediction of the blind-spot network
    std: standard deviation of the error of `denoised`
    mean_std: that of mu, (N, H or 1, W or 1, 1); for colour the average of the channels
    noise_std: that of the noise, likewise
    loss: (N, H, W), in training

    config: of dbsn_tf.configs, completed.
    """

    MAX_HALO = 64

    def __init__(self, config):
        super().__init__(config, name="dbsn")
        channels = config.channels
        self.stage = "mu" if config.gives_mean else "joint"
        self.backbone = network.build_backbone(
            channels,
            width=config.width,
            blocks=config.blocks,
            blind=config.blind,
            seed=config.seed,
            dtype=config.dtype_policy,
        )
        outputs = 6 if config.variance == "multivariate" else channels
        self.mean_variance = network.build_variance_network(
            config.width, outputs, depth=3, width=WIDTHS[channels], seed=config.seed + 1
        )
        self.noise_variance = network.build_variance_network(
            channels,
            outputs,
            depth=5,
            width=WIDTHS[channels],
            zero_last=channels == 1,
            offset=OFFSET if channels == 1 else 0.0,
            last="conv_final",
            seed=config.seed + 2,
        )

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        return network.receptive_radius(self.config.blocks)

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return 70 * self.config.width

    def portable(self):
        """A copy of Keras' own layers alone: to call, for Keras counts the replaced weights too."""
        copy = super().portable()
        copy.backbone = network.with_plain_layers(copy.backbone)
        return copy

    def noise_levels(self, values):
        """Deviations of the noise at clean values, the average of the channels; see base.Denoiser.

        None unless variance="signal": other noise does not depend on the value.
        """
        if self.config.variance != "signal" or self.config.gives_mean:
            return None
        deviations = likelihood.deviation(self._noise_covariance(None, values))
        return np.asarray(deviations)[0, :, 0].mean(axis=-1)

    def noise_roots(self, noisy, values):
        """Roots of the covariance that the noise of an image has at clean values.

        Args:
            noisy: (H, W, C) on [0, 1]; what noise depends on unless variance="signal".
            values: V of them; all channels have the same.

        Returns:
            (V, C, C) lower triangular R, the covariance R R^T; diagonal unless
            variance="multivariate".
        """
        covariance = self._noise_covariance(noisy, values)
        if self.config.channels == 1:
            roots = np.sqrt(np.asarray(covariance)[0, :, 0, :, None])
        else:
            c00, c01, c02, c11, c12, c22 = (np.asarray(entry)[0, :, 0] for entry in covariance)
            rows = [[c00, c01, c02], [c01, c11, c12], [c02, c12, c22]]
            roots = np.linalg.cholesky(np.moveaxis(np.array(rows, np.float64), -1, 0))
        return np.broadcast_to(roots, (len(values), *roots.shape[1:])).astype(np.float32)

    def _noise_covariance(self, noisy, values):
        """The covariance of the noise, at (1, V or 1, 1), of an image or at clean values."""
        shape = (1, len(values), 1, self.config.channels)
        at_values = np.broadcast_to(np.asarray(values, np.float32)[None, :, None, None], shape)
        given = at_values if self.config.variance == "signal" else noisy[None]
        return self._noise_variance(self.noise_variance(np.ascontiguousarray(given)))

    def _noise_variance(self, output):
        """The covariance of the noise from what its network gives."""
        return likelihood.noise_variance(
            output,
            channels=self.config.channels,
            per_image=self.config.variance == "white",
            multivariate=self.config.variance == "multivariate",
        )

    def begin_stage(self, step):
        """Trains from now on what the stage of a step trains; the rest stays as it is."""
        stage = self.config.stage_at(step)
        is_new, self.stage = stage != self.stage, stage
        variances = self.mean_variance.variables + self.noise_variance.variables
        self.optimizer.set_factor(float(stage != "sigma"), self.backbone.variables)
        self.optimizer.set_factor(self.config.noise_rate * (stage != "mu"), variances)
        return is_new

    def restore(self, inputs, run, training):
        """Restores images as described at the class; with `loss` (N, H, W) in training."""
        config, noisy = self.config, inputs["noisy"]
        mu, features = run(self.backbone, noisy, padding=0.0)
        if self.stage == "mu":
            return {"denoised": mu, "mean": mu}
        if self.stage == "sigma":
            mu, features = ops.stop_gradient(mu), ops.stop_gradient(features)
        channels = config.channels
        var_mu = likelihood.mean_variance(
            run(self.mean_variance, features, padding=0.0), channels=channels
        )
        # What the noise depends on: the clean value, of which the network has its own prediction,
        # or else the image whose strength of noise is to be told.
        given = ops.stop_gradient(mu) if config.variance == "signal" else noisy
        var_n = self._noise_variance(run(self.noise_variance, given, padding=0.0))
        denoised, std = likelihood.restore(noisy, mu, var_mu, var_n)
        result = {
            "denoised": denoised,
            "mean": mu,
            "std": std,
            "mean_std": ops.mean(likelihood.deviation(var_mu), axis=-1, keepdims=True),
            "noise_std": ops.mean(likelihood.deviation(var_n), axis=-1, keepdims=True),
        }
        if training:
            name = config.likelihood
            if name == "both":
                name = "marginal" if self.stage == "joint" else "constrained"
            result["loss"] = getattr(likelihood, name)(noisy, mu, var_mu, var_n)
        return result

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Square error of mu in the first stage, then the negative log-likelihood; a scalar."""
        if "loss" in y_pred:
            return ops.mean(y_pred["loss"])
        return losses.mean_square(y_pred["denoised"], y["target"])
