"""The SSDN denoiser: network, noise parameter and Bayes' rule in one Keras model."""

import functools
import math

import keras
import numpy as np
from keras import ops
from scipy import optimize

from common.files import pixels
from common.networks import base, losses, unet
from common.training import schedules
from ssdn_tf import likelihood, network

# Up to so many pixels are restored by all directions of the blind-spot network at once, which needs
# more memory, and half a second less to begin with.
SMALL = 2**18
# Peak memory, bytes per pixel, measured: all directions at once, in turn, and the plain network.
AT_ONCE, IN_TURN, PLAIN = 7400, 3600, 2200
LEVEL_SIDE, SMALLEST = 384, 16  # of the middle of an image that its level is found in, pixels
BEYOND = 8.0  # factor by which a level is looked for beyond those of the training


class Denoiser(base.Denoiser):
    """Restores images by the pipeline of the configuration.

    blindspot: `denoised` is the posterior mean; the result also has `mean` (N, H, W, C), the output
        of the blind-spot network, `std` (N, H, W, C), the standard deviation of `denoised`,
        `mean_std` (N, H, W, 1) and `noise_std` (N, 1 or H, 1 or W, 1).
    workshop: the same, in the formulation of Laine et al. 2019a (workshop paper).
    blindspot_mean, n2n, n2c: `denoised` is the network's output, and nothing else is in the result.

    All standard deviations are on the [0, 1] scale. A model of known noise without an input
    `noise_level` uses the level of its training; it raises ValueError if that was a range.
    """

    def __init__(self, config):
        super().__init__(config, name="ssdn")
        dtype = config.dtype_policy
        outputs = config.channels
        if config.has_likelihood:
            outputs = likelihood.count_outputs(config.channels, config.diagonal_covariance)
        self.blindspot = config.pads_with_zeros
        self.network = network.build_network(
            config.channels,
            outputs=outputs,
            blindspot=self.blindspot,
            seed=config.seed,
            dtype=dtype,
        )
        self.directional = None  # how the same network restores large images
        if self.blindspot and keras.backend.backend() == "tensorflow":
            self.directional = network.Directional(self.network)
        self.noise_network = self.raw_noise = None
        if not config.has_likelihood:
            return
        if config.noise_params == "per_image":
            # The estimate does not converge unless the last layer starts at zero.
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
                shape=(1, 1, 1, 1),
                initializer=keras.initializers.Constant(self._start() / config.raw_noise_scale),
                dtype="float32",
                name="raw_noise",
            )

    MAX_HALO = 80

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        return network.receptive_radius(self.blindspot)

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring large images, bytes per pixel of the image; measured."""
        if not self.blindspot:
            return PLAIN
        estimating = 0 if self.noise_network is None else PLAIN  # maybe at the same time
        return estimating + (IN_TURN if self.directional else AT_ONCE)

    def pixels_in(self, gigabytes):
        """How many pixels the model can restore at once in this much memory; at least 1."""
        count = super().pixels_in(gigabytes)
        if self.directional is None:
            return count
        at_once = self.bytes_per_pixel - IN_TURN + AT_ONCE
        if gigabytes * 1e9 < SMALL * at_once:
            return max(1, int(gigabytes * 1e9 / at_once))
        return count

    def portable(self):
        """A copy of Keras' own layers alone: to call, for Keras counts the replaced weights too."""
        copy = super().portable()
        if self.blindspot:
            copy.network, copy.directional = network.copy_of_layers(copy.network), None
        return copy

    def for_onnx(self):
        """A copy that does not cut images into strips: elsewhere that costs time."""
        if self.directional is None:
            return self
        copy = self.copy()
        copy.directional.strips = 1
        return copy

    def find_level(self, noisy):
        """The noise parameter under which an image is most likely.

        The network predicts clean values and their covariances without being told the level, so it
        runs once, and p(y) of Laine et al. 2019, section 3, is maximised over one number.

        Args:
            noisy: (H, W, C) on [0, 1]; of large images the middle counts. Images with a side below
                SMALLEST say too little: the middle of the training's levels is taken.

        Returns:
            sigma on [0, 1], lambda, or a share, of four digits, so that it is the same everywhere.
        """
        config, noise = self.config, self.config.noise
        high = max(noise.high, 1e-3)
        low = max(noise.low, high / 50)  # ranges may begin at 0
        if min(noisy.shape[:2]) < SMALLEST:
            return noise.level((low * high) ** 0.5)
        middle = pixels.centre(noisy, LEVEL_SIDE)[None].astype(np.float32)
        run = functools.partial(unet.run_padded, multiple=config.side_multiple, training=False)
        outputs = run(self.directional or self.network, middle, padding=0.0)  # less memory

        def loss(log_strength):
            level = np.full((1, 1, 1, 1), noise.level(math.exp(log_strength)), np.float32)
            return float(ops.mean(self._bayes(outputs, middle, level)["loss"]))

        bounds = np.log([low / BEYOND, min(BEYOND * high, noise.MAX)])
        found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
        return float(f"{noise.level(math.exp(found.x)):.4g}")

    def restore(self, inputs, run, training):
        """Restores images as described at the class; with `loss` (N, H, W) in training."""
        config, noisy = self.config, inputs["noisy"]
        seen = noisy * inputs["inside"] if "inside" in inputs else noisy
        # A blind-spot network must not be padded by mirroring: a pixel near the edge would see its
        # own copy in the mirror image.
        padding = 0.0 if self.blindspot else "reflect"
        outputs = run(self._network_for(noisy, training), seen, padding=padding)
        if not config.has_likelihood:
            return {"denoised": outputs}
        noise = self._noise(noisy, inputs.get("noise_level"), run)
        if config.pipeline == "workshop":
            result = likelihood.workshop(
                outputs, noisy, noise, diagonal_covariance=config.diagonal_covariance
            )
        else:
            result = self._bayes(outputs, noisy, noise)
        if not training:
            del result["loss"]
        return result

    def _bayes(self, outputs, noisy, noise):
        """See likelihood.bayes."""
        return likelihood.bayes(
            outputs,
            noisy,
            noise,
            noise_model=self.config.noise_model,
            estimated=self.config.noise_params != "known",
            diagonal_covariance=self.config.diagonal_covariance,
        )

    def _network_for(self, noisy, training):
        """The blind-spot network whole, for training and small images, or by its directions."""
        size = math.prod(n or SMALL + 1 for n in noisy.shape[:-1])
        if training or size <= SMALL or self.directional is None:
            return self.network
        return self.directional

    def _noise(self, noisy, noise_level, run):
        """The noise parameter of each image, (N, 1, 1, 1); see likelihood.bayes."""
        if self.noise_network is not None:
            raw = run(self.noise_network, noisy, padding="reflect")
            return likelihood.noise_from_raw(ops.mean(raw, axis=(1, 2), keepdims=True))
        like = ops.zeros_like(noisy[:, :1, :1, :1])
        if self.raw_noise is not None:
            return likelihood.noise_from_raw(self.raw_noise * self.config.raw_noise_scale) + like
        if noise_level is None:
            noise_level = self.config.noise.fixed_level()
        return noise_level + like

    def _start(self):
        """The number that gives the noise level at the start of a training, see noise_from_raw."""
        start = self.config.noise_start
        return likelihood.raw_from_noise(start / 255.0) if start else 0.0

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The negative log-likelihood, or the difference to the target; a scalar."""
        inside = x.get("inside") if isinstance(x, dict) else None
        if "loss" in y_pred:
            return losses.mean_where(y_pred["loss"][..., None], inside)
        if self.config.noise_model == "impulse" and self.config.pipeline != "n2c":
            exponent = schedules.annealed_exponent(x["number"][0], float(self.config.num_images))
            return losses.mean_power(y_pred["denoised"], y["target"], exponent, inside)
        return losses.mean_square_where(y_pred["denoised"], y["target"], inside)
