"""The RDUNet denoiser: network and loss in one Keras model."""

from common.networks import base, losses
from rdunet_tf import network


class Denoiser(base.Denoiser):
    """Restores images by one pass through the network; the result has `denoised` only."""

    def __init__(self, config):
        super().__init__(config, name="rdunet")
        self.network = network.build_network(
            config.channels,
            width=config.width,
            seed=config.seed,
            dtype=config.dtype_policy,
        )
        if config.initial == "torch":
            network.start_as_torch(self.network, config.seed)

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        return network.RECEPTIVE_RADIUS

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return 48 * self.config.width

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, H, W, C) of `noisy` (N, H, W, C), both on [0, 1]."""
        noisy = inputs["noisy"]
        return {"denoised": run(self.network, noisy, padding="reflect")}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Square error to noisy targets, absolute error to clean ones; a scalar."""
        # Of noisy targets only the square error learns the mean. The paper, with clean targets, has
        # the absolute error.
        loss = losses.mean_square if self.config.targets == "noisy" else losses.mean_absolute
        return loss(y_pred["denoised"], y["target"])
