"""The Noise2Noise denoiser: network and loss in one Keras model."""

from common.networks import base, losses
from common.training import schedules
from n2n_tf import network


class Denoiser(base.Denoiser):
    """Restores images by one pass through the network; the result has `denoised` only."""

    def __init__(self, config):
        super().__init__(config, name="n2n")
        settings = {"seed": config.seed, "dtype": config.dtype_policy}
        if config.network == "unet":
            self.network = network.build_network(config.channels, **settings)
        else:
            upsampling, final = config.network.split("_")
            self.network = network.build_sequential(
                config.channels, upsampling=upsampling, final=final, **settings
            )

    MAX_HALO = 32

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        return network.receptive_radius(self.config.network)

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return 1500

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, H, W, C) of `noisy` (N, H, W, C), both on [0, 1]."""
        noisy = inputs["noisy"]
        # The U-Net works on [-0.5, 0.5], as in the original; the small networks work on [0, 1].
        shift = 0.5 if self.config.network == "unet" else 0.0
        return {"denoised": run(self.network, noisy - shift, padding="reflect") + shift}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss that the configuration names, a scalar."""
        restored, target = y_pred["denoised"], y["target"]
        if self.config.loss == "l1":
            return losses.mean_absolute(restored, target)
        if self.config.loss == "l0":
            exponent = schedules.annealed_exponent(x["number"][0], float(self.config.num_images))
            return losses.mean_power(restored, target, exponent)
        if self.config.loss == "masked_l2":
            return losses.mean_square_where(restored, target, y["kept"])
        return losses.mean_square(restored, target)
