"""The super-resolution models: one restores enlarged images, the other enlarges them itself."""

import functools

from common import commands, denoiser, losses, training
from n2n_tf import denoiser as noise2noise
from superres import classical, configs, data, network, resampling


class Denoiser(denoiser.Denoiser):
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

    def restore(self, noisy, noise_level, run, training):
        restored = run(self.network, noisy - 0.5, padding="reflect")
        return {"denoised": restored + (noisy if self.config.learner == "n2n" else 0.5)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self.config.learner == "n2v":
            return losses.mean_square_where(y_pred["denoised"], y["target"], y["kept"])
        return losses.mean_square(y_pred["denoised"], y["target"])


class Upscaler(denoiser.Denoiser):
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

    def restore(self, noisy, noise_level, run, training):
        return self.inner.restore(self.enlarger(noisy), None, run, training)


METHOD = commands.Method(
    name="superres",
    named=configs.NAMED,
    default=configs.DEFAULT,
    short=configs.SHORT,
    build=Denoiser,
    deploy=Upscaler,
    # As Noise2Noise: constant, then ramped down.
    optimizer=functools.partial(training.ramped_adam, ramp_up=0.0),
    training_images=data.training_images,
    batches=data.training_batches,
    validation=data.validation,
    examples=data.examples,
    given="enlarged",
    told={"scale": "scale"},
    baselines=classical.NAMES,
    baseline_inputs=("noisy", "small"),
    cite=noise2noise.METHOD.cite,
)
