"""The super-resolution models: `Denoiser` for enlarged images, `Upscaler` for small ones."""

from common.networks import base, losses
from superres import network, resampling


class Denoiser(base.Denoiser):
    """Restores enlarged images (N, H, W, C); the result has `denoised` (N, H, W, C) only.

    With learner=n2n the network predicts a correction that is added to the enlarged image. With
    learner=n2v it predicts the image itself, because it must not see the pixel that it restores.
    """

    MAX_HALO = 32

    def __init__(self, config):
        super().__init__(config, name="superres")
        self.network = network.build_network(
            config.learner, config.channels, seed=config.seed, dtype=config.dtype_policy
        )

    @property
    def radius(self):
        """How far an output pixel sees, pixels of the enlarged image."""
        return network.receptive_radius(self.config.learner)

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the enlarged image; measured."""
        return 1500

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, H, W, C) of `noisy` (N, H, W, C), both on [0, 1]."""
        noisy = inputs["noisy"]
        restored = run(self.network, noisy - 0.5, padding="reflect")
        return {"denoised": restored + (noisy if self.config.learner == "n2n" else 0.5)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean square error, of n2v on the blind spots; a scalar."""
        if self.config.learner == "n2v":
            return losses.mean_square_where(y_pred["denoised"], y["target"], y["kept"])
        return losses.mean_square(y_pred["denoised"], y["target"])


class Upscaler(base.Denoiser):
    """Enlarges images and restores them: (N, H, W, C) to (N, scale H, scale W, C).

    inner: the trained `Denoiser`.
    """

    def __init__(self, inner):
        super().__init__(inner.config, name="superres")
        self.inner = inner
        self.enlarger = resampling.build_enlarger(inner.config.channels, inner.config.scale)

    def copy(self):
        """The same model with copies of the weights."""
        return Upscaler(self.inner.copy())

    @property
    def scale(self):
        """Factor by which H and W of the result are larger than those of the input."""
        return self.config.scale

    @property
    def radius(self):
        """How far an output pixel sees, pixels of the small image."""
        return -(-self.inner.radius // self.scale) + resampling.REACH

    @property
    def halo(self):
        """Width of a tile's outer part, pixels of the small image."""
        reach = resampling.REACH
        return min(self.radius, -(-self.inner.MAX_HALO // self.scale) + reach)

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the small image."""
        return self.inner.bytes_per_pixel * self.scale**2

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, scale H, scale W, C) of `noisy` (N, H, W, C), both on [0, 1]."""
        return self.inner.restore({"noisy": self.enlarger(inputs["noisy"])}, run, training)
