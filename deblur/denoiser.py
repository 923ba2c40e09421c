"""The deblurring model: Noise2Noise's U-Net on images, or on the logarithms of their spectra."""

from keras import ops

from common.networks import base, losses
from deblur import cepstrum
from n2n_tf import network


class Denoiser(base.Denoiser):
    """Restores blurred images (N, H, W, C); the result has `denoised` only.

    `convolve` and `multiplicative` restore the image itself; their network predicts a correction
    that is added to the image.

    `log` and `log_nodc` restore the cepstrum of the image, see `cepstrum.transform`. In a cepstrum
    the blur is an added term. The network restores the real part. The imaginary part only holds the
    signs of a few frequencies; it stays that of the input. The mean of a cepstrum is the logarithm
    of the DC component of the spectrum, that is of the image's mean. `log_nodc` subtracts it before
    the network, and adds the mean of the input's cepstrum afterwards.

    The values of a cepstrum around its origin grow with the square root of the number of pixels, so
    that the network only works for the size of its training crops. `prediction.restore` restores
    larger images in tiles of that size. An exported model does not cut images; it needs such tiles
    as its input.
    """

    MAX_HALO = 32

    def __init__(self, config):
        super().__init__(config, name="deblur")
        self.network = network.build_network(
            config.channels,
            seed=config.seed,
            dtype=config.dtype_policy,
            # With 0 the untrained network adds nothing: the training starts from the blurred image.
            last_gain=1.0 if config.is_logarithmic else 0.0,
        )

    @property
    def MAX_TILE(self):
        """Side of the tiles of a model of cepstra, that of its training crops, pixels; or None."""
        return self.config.crop_size if self.config.is_logarithmic else None

    @property
    def is_on_unit_scale(self):
        """See base.Denoiser; kernels of a random sum make images of any brightness."""
        return False

    @property
    def radius(self):
        """How far an output pixel sees, pixels; 0 for cepstra, whose tiles have no halo."""
        return 0 if self.config.is_logarithmic else network.receptive_radius("unet")

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return 1500

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, H, W, C); in training also `cepstrum`, if that is restored."""
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
        """Mean square error of images or of cepstra, a scalar."""
        if not self.config.is_logarithmic:
            return losses.mean_square(y_pred["denoised"], y["target"])
        target, _ = cepstrum.transform(y["target"])
        if self.config.formulation == "log_nodc":
            target = target - ops.mean(target, axis=(1, 2), keepdims=True)
        return losses.mean_square(y_pred["cepstrum"], target)
