"""The RDUNet denoiser: network and loss as one Keras model."""

import keras

from common import commands, denoiser, losses, pipeline, schedules
from rdunet_tf import configs, network


class Denoiser(denoiser.Denoiser):
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

    def restore(self, noisy, noise_level, run, training):
        return {"denoised": run(self.network, noisy, padding="reflect")}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        # Noisy targets are averaged by the square; for clean ones L1 is the published loss.
        loss = losses.mean_square if self.config.targets == "noisy" else losses.mean_absolute
        return loss(y_pred["denoised"], y["target"])


def make_optimizer(config):
    """AdamW, its rate halved every seventh of the training: every 3 of 21 epochs."""
    rate = schedules.Halved(
        num_images=config.num_images,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        times=6,
    )
    return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, epsilon=1e-8)


METHOD = commands.Method(
    name="rdunet_tf",
    named=configs.NAMED,
    default=configs.DEFAULT,
    short=configs.SHORT,
    build=Denoiser,
    optimizer=make_optimizer,
    batches=pipeline.noise2noise_batches,
    cite=("Gurrola-Ramos et al.: RDUNet, IEEE Access 2021", "10.1109/ACCESS.2021.3061062"),
)
