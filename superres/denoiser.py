"""The super-resolution models: one restores enlarged images, the other enlarges them itself."""

from common.networks import base, losses
from superres import network, resampling


class Denoiser(base.Denoiser):
    """Restores enlarged images, (N, H, W, C) to the same; the result holds `denoised` alone.

    The network of n2n learns what is to be added to the enlarged image; that of n2v, which must not
    see the pixel it restores, the image itself.
    """

    MAX_HALO = 32

    def __init__(self, config):
        super().__init__(config, name="superres")
        self.network = network.build_network(
            config.learner, config.channels, seed=config.seed, dtype=config.dtype_policy
        )

    @property
    def radius(self):
        return network.receptive_radius(self.config.learner)

    @property
    def bytes_per_pixel(self):
        return 1500

    def restore(self, inputs, run, training):
        noisy = inputs["noisy"]
        restored = run(self.network, noisy - 0.5, padding="reflect")
        return {"denoised": restored + (noisy if self.config.learner == "n2n" else 0.5)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self.config.learner == "n2v":
            return losses.mean_square_where(y_pred["denoised"], y["target"], y["kept"])
        return losses.mean_square(y_pred["denoised"], y["target"])


class Upscaler(base.Denoiser):
    """Enlarges images and restores them: (N, H, W, C) to (N, scale H, scale W, C)."""

    def __init__(self, inner):
        super().__init__(inner.config, name="superres")
        self.inner = inner
        self.enlarger = resampling.build_enlarger(inner.config.channels, inner.config.scale)

    @property
    def scale(self):
        return self.config.scale

    @property
    def radius(self):
        return -(-self.inner.radius // self.scale) + resampling.REACH

    @property
    def halo(self):
        reach = resampling.REACH
        return min(self.radius, -(-self.inner.MAX_HALO // self.scale) + reach)

    @property
    def bytes_per_pixel(self):
        return self.inner.bytes_per_pixel * self.scale**2

    def restore(self, inputs, run, training):
        return self.inner.restore({"noisy": self.enlarger(inputs["noisy"])}, run, training)
