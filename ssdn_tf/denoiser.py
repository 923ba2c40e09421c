"""The SSDN denoiser: network, noise parameter and Bayes' rule as one Keras model."""

from keras import ops

from common.networks import base, losses
from common.training import schedules
from ssdn_tf import likelihood, network


class Denoiser(base.Denoiser):
    """Restores images as the configuration's pipeline does.

    blindspot: posterior mean as `denoised`, with `mean` (of the blind-spot network), `std`
        (N, H, W, C) of what was denoised, `mean_std` (N, H, W, 1) and `noise_std`
        (N, 1 or H, 1 or W, 1).
    workshop: the same, in the formulation of Laine et al. 2019a (workshop paper).
    blindspot_mean, n2n, n2c: `denoised` is the network's output.

    All deviations are on the [0, 1] scale. A model of known noise takes the level of the training
    when none is given, and raises ValueError if that was a range.
    """

    def __init__(self, config):
        super().__init__(config, name="ssdn")
        dtype = config.dtype_policy
        outputs = config.channels
        if config.has_likelihood:
            outputs = likelihood.count_outputs(config.channels, config.diagonal_covariance)
        self.network = network.build_network(
            config.channels,
            outputs=outputs,
            blindspot=config.pipeline not in ("n2c", "n2n"),
            seed=config.seed,
            dtype=dtype,
        )
        self.noise_network = self.raw_noise = None
        if not config.has_likelihood:
            return
        if config.noise_params == "per_image":
            # Unless its last layer starts at zero the estimate does not converge.
            self.noise_network = network.build_network(
                config.channels,
                outputs=1,
                blindspot=False,
                zero_last=True,
                seed=config.seed + 1,
                dtype=dtype,
            )
        elif config.noise_params == "global":
            self.raw_noise = self.add_weight(
                shape=(1, 1, 1, 1), initializer="zeros", dtype="float32", name="raw_noise"
            )

    MAX_HALO = 80

    @property
    def radius(self):
        return network.receptive_radius(self.config.pipeline not in ("n2c", "n2n"))

    @property
    def bytes_per_pixel(self):
        return 6200 if self.config.pipeline not in ("n2c", "n2n") else 2200

    @property
    def predicts_std(self):
        return self.config.has_likelihood

    def restore(self, inputs, run, training):
        config, noisy = self.config, inputs["noisy"]
        # A mirror image would show pixels near the edge to themselves.
        padding = "reflect" if config.pipeline in ("n2c", "n2n") else 0.0
        outputs = run(self.network, noisy, padding=padding)
        if not config.has_likelihood:
            return {"denoised": outputs}
        noise = self._noise(noisy, inputs.get("noise_level"), run)
        if config.pipeline == "workshop":
            result = likelihood.workshop(
                outputs, noisy, noise, diagonal_covariance=config.diagonal_covariance
            )
        else:
            result = likelihood.bayes(
                outputs,
                noisy,
                noise,
                noise_model=config.noise_model,
                estimated=config.noise_params != "known",
                diagonal_covariance=config.diagonal_covariance,
            )
        if not training:
            del result["loss"]
        return result

    def _noise(self, noisy, noise_level, run):
        """Noise parameter of each image, (N, 1, 1, 1)."""
        if self.noise_network is not None:
            raw = run(self.noise_network, noisy, padding="reflect")
            return likelihood.noise_from_raw(ops.mean(raw, axis=(1, 2), keepdims=True))
        like = ops.zeros_like(noisy[:, :1, :1, :1])
        if self.raw_noise is not None:
            # Adam's steps do not depend on scale: this makes them larger. At the original's pace a
            # short training ends before the level has got anywhere near (RESULTS.md).
            return likelihood.noise_from_raw(self.raw_noise * self.config.noise_rate) + like
        if noise_level is None:
            noise_level = self.config.noise.fixed_level()
        return noise_level + like

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if "loss" in y_pred:
            return ops.mean(y_pred["loss"])
        if self.config.noise_model == "impulse" and self.config.pipeline != "n2c":
            exponent = schedules.annealed_exponent(x["number"][0], float(self.config.num_images))
            return losses.mean_power(y_pred["denoised"], y["target"], exponent)
        return losses.mean_square(y_pred["denoised"], y["target"])
