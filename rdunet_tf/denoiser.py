"""The RDUNet denoiser: network and loss as one Keras model."""

from common.networks import base, losses
from rdunet_tf import network


class Denoiser(base.Denoiser):
    """Restores images by one pass through the network; the result holds `denoised` alone."""

    def __init__(self, config):
        super().__init__(config, name="rdunet")
        self.network = network.build_network(
            config.channels,
            width=config.width,
            seed=config.seed,
            dtype=config.dtype_policy,
        )

    @property
    def radius(self):
        return network.RECEPTIVE_RADIUS

    @property
    def bytes_per_pixel(self):
        return 48 * self.config.width

    def restore(self, inputs, run, training):
        noisy = inputs["noisy"]
        return {"denoised": run(self.network, noisy, padding="reflect")}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        # Noisy targets are averaged by the square; for clean ones L1 is the published loss.
        loss = losses.mean_square if self.config.targets == "noisy" else losses.mean_absolute
        return loss(y_pred["denoised"], y["target"])
