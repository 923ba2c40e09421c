"""The denoiser of slices: the Noise2Noise U-Net, then the measured frequencies put back."""

from common import commands, denoiser, losses, metrics, optimizers, unet
from common import schedules as common_schedules
from n2n_tf import network
from n2n_tf.mri import configs, data, schedules, spectrum


class Denoiser(denoiser.Denoiser):
    """Restores slices from dicts of `noisy` and `density`, see spectrum.corrupt and draw_density.

    The result holds `denoised` alone. H and W odd. tests/golden/mri.npz.
    """

    INPUTS = {"noisy": 1, "density": 1}
    TILES = False  # a frequency is everywhere

    def __init__(self, config):
        super().__init__(config, name="n2n_mri")
        self.loss_in_spectrum = config.loss == "spectrum"
        self.network = network.build_network(
            1,
            seed=config.seed,
            dtype=config.dtype_policy,
        )

    def call(self, inputs, training=False):
        noisy = inputs["noisy"]
        # The original's inner range; what is padded, a row and a column of 255, is its black.
        centred = unet.run_padded(self.network, noisy - 0.5, padding=-0.5, training=training)
        return {"denoised": spectrum.put_back(centred + 0.5, noisy, inputs["density"])}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        restored, target = y_pred["denoised"], y["target"]
        if self.loss_in_spectrum:
            return spectrum.mean_square_where_measured(restored, target, y["target_density"])
        return losses.mean_square(restored, target)


def make_optimizer(config):
    """Adam by epochs, 300 to a training: rate and beta_1 ramped. tests/golden/lr_schedules.npz."""

    def by_epoch(function, scale):
        return common_schedules.ByEpoch(
            function,
            scale=scale,
            epochs=schedules.EPOCHS,
            num_images=config.num_images,
            batch_size=config.batch_size,
        )

    rate = by_epoch(schedules.rate, config.learning_rate)
    return optimizers.Adam(rate, beta_1=by_epoch(schedules.beta_1, 1.0))


METHOD = commands.Method(
    name="n2n_tf.mri",
    named=configs.NAMED,
    default=configs.DEFAULT,
    short=configs.SHORT,
    build=Denoiser,
    optimizer=make_optimizer,
    training_images=data.training_images,
    batches=data.training_batches,
    validation=data.validation,
    examples=data.examples,
    psnr=metrics.psnr_clamped,
    cite=("Lehtinen et al.: Noise2Noise, ICML 2018", "10.48550/arXiv.1803.04189"),
)
