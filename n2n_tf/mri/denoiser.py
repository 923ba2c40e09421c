"""The denoiser of MRI slices: the Noise2Noise U-Net, then the measured frequencies are put back."""

from common.networks import base, losses, unet
from n2n_tf import network
from n2n_tf.mri import spectrum


class Denoiser(base.Denoiser):
    """Restores slices; the result has `denoised` (N, H, W, 1) only.

    The input is a dict of `noisy` (of spectrum.corrupt) and `density` (of spectrum.draw_density),
    (N, H, W, 1) each, H and W odd. The outputs are those of the original: tests/golden/mri.npz.
    """

    INPUTS = {"noisy": 1, "density": 1}
    TILES = False  # every frequency depends on the whole image

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
        """How far an output pixel of the network sees, pixels."""
        return network.receptive_radius("unet")

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return 1500

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, H, W, 1), with the measured frequencies of the input."""
        noisy = inputs["noisy"]
        # The network works on [-0.5, 0.5], as in the original, and the padding is black there: one
        # row and one column for slices of 255 pixels a side.
        restored = run(self.network, noisy - 0.5, padding=-0.5, multiple=unet.MULTIPLE) + 0.5
        return {"denoised": spectrum.put_back(restored, noisy, inputs["density"])}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean square error of pixels or of measured frequencies, a scalar."""
        restored, target = y_pred["denoised"], y["target"]
        if self.loss_in_spectrum:
            return spectrum.mean_square_where_measured(restored, target, y["target_density"])
        return losses.mean_square(restored, target)
