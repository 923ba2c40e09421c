"""The Noise2Noise denoiser: network and loss as one Keras model."""

import keras

from common import commands, denoiser, losses, optimizers, schedules
from n2n_tf import configs, data, network


class Denoiser(denoiser.Denoiser):
    """Restores images by one pass through the network; the result holds `denoised` alone."""

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
        return network.receptive_radius(self.config.network)

    @property
    def bytes_per_pixel(self):
        return 1500

    def restore(self, noisy, noise_level, run, training):
        # The original's inner range is that of its U-Net; the small networks end in [0, 1].
        shift = 0.5 if self.config.network == "unet" else 0.0
        return {"denoised": run(self.network, noisy - shift, padding="reflect") + shift}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        restored, target = y_pred["denoised"], y["target"]
        if self.config.loss == "l1":
            return losses.mean_absolute(restored, target)
        if self.config.loss == "l0":
            exponent = schedules.annealed_exponent(x["number"][0], float(self.config.num_images))
            return losses.mean_power(restored, target, exponent)
        if self.config.loss == "masked_l2":
            return losses.mean_square_where(restored, target, y["kept"])
        return losses.mean_square(restored, target)


def make_optimizer(config):
    """Adam or SGD, the rate constant and then ramped down. tests/golden/lr_schedules.npz."""
    rate = schedules.Ramped(
        num_images=config.num_images,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        ramp_up=0.0,
        ramp_down=config.ramp_down,
    )
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9)
    return optimizers.Adam(rate)


METHOD = commands.Method(
    name="n2n_tf",
    named=configs.NAMED,
    default=configs.DEFAULT,
    short=configs.SHORT,
    build=Denoiser,
    optimizer=make_optimizer,
    training_images=data.training_images,
    batches=data.training_batches,
    validation=data.validation,
    cite=("Lehtinen et al.: Noise2Noise, ICML 2018", "10.48550/arXiv.1803.04189"),
)
