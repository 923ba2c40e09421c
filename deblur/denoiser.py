"""The deblurring model: Noise2Noise's U-Net on images, or on the logarithms of their spectra."""

from keras import ops

from common.networks import base, losses
from deblur import cepstrum
from n2n_tf import network


class Denoiser(base.Denoiser):
    """Restores blurred images, (N, H, W, C); the result holds `denoised` alone.

    `convolve` and `multiplicative` restore the image itself: their network learns what is to be
    added to it. `log` and `log_nodc` restore its cepstrum, see `cepstrum.transform`, in which blur
    is a term added; the imaginary part, which is 0 but for a few signs, stays that of the input.
    The mean of a cepstrum over its pixels is the logarithm of the image's mean, the spectrum's DC
    component: `log_nodc` takes it out and puts the input's back. Around its origin a cepstrum grows
    with the root of the pixels, so that a network knows those of its training's size alone: larger
    images are restored in tiles of that size, by `prediction.restore`; an exported model, which
    does not cut them, wants such tiles.
    """

    MAX_HALO = 32

    def __init__(self, config):
        super().__init__(config, name="deblur")
        self.network = network.build_network(
            config.channels,
            seed=config.seed,
            dtype=config.dtype_policy,
            last_gain=1.0 if config.is_logarithmic else 0.0,  # from the blurred image on
        )

    @property
    def MAX_TILE(self):
        """Cepstra have no other size than those of the training, see the class."""
        return self.config.crop_size if self.config.is_logarithmic else None

    @property
    def radius(self):
        return 0 if self.config.is_logarithmic else network.receptive_radius("unet")

    @property
    def bytes_per_pixel(self):
        return 1500

    def restore(self, inputs, run, training):
        noisy = inputs["noisy"]
        if not self.config.is_logarithmic:
            return {"denoised": noisy + run(self.network, noisy - 0.5, padding="reflect")}
        real, imaginary = cepstrum.transform(noisy)
        mean = ops.mean(real, axis=(1, 2), keepdims=True)
        without_mean = self.config.formulation == "log_nodc"
        restored = run(self.network, real - mean if without_mean else real, padding="reflect")
        result = {"cepstrum": restored} if training else {}
        if without_mean:
            restored = restored - ops.mean(restored, axis=(1, 2), keepdims=True) + mean
        return result | {"denoised": cepstrum.invert(restored, imaginary)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if not self.config.is_logarithmic:
            return losses.mean_square(y_pred["denoised"], y["target"])
        target, _ = cepstrum.transform(y["target"])
        if self.config.formulation == "log_nodc":
            target = target - ops.mean(target, axis=(1, 2), keepdims=True)
        return losses.mean_square(y_pred["cepstrum"], target)
