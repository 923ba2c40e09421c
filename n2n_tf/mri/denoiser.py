"""The denoiser of slices: the Noise2Noise U-Net, then the measured frequencies put back."""

from common.networks import base, losses, unet
from n2n_tf import network
from n2n_tf.mri import spectrum


class Denoiser(base.Denoiser):
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

    @property
    def radius(self):
        return network.receptive_radius("unet")

    @property
    def bytes_per_pixel(self):
        return 1500

    def restore(self, inputs, run, training):
        noisy = inputs["noisy"]
        # The original's inner range; what is padded, a row and a column of 255, is its black.
        restored = run(self.network, noisy - 0.5, padding=-0.5, multiple=unet.MULTIPLE) + 0.5
        return {"denoised": spectrum.put_back(restored, noisy, inputs["density"])}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        restored, target = y_pred["denoised"], y["target"]
        if self.loss_in_spectrum:
            return spectrum.mean_square_where_measured(restored, target, y["target_density"])
        return losses.mean_square(restored, target)
