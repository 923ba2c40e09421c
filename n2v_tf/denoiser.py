"""The Noise2Void denoiser: standardisation, network and loss in one Keras model."""

import numpy as np
from keras import ops

from common.networks import base, losses, unet
from n2v_tf import network


class Denoiser(base.Denoiser):
    """Restores images or volumes of any scale; the result has `denoised` only.

    `mean` and `std` (C,), the statistics of the training images, are stored with the weights. A
    model that was trained on the user's own files takes their values as they are; one that was
    trained on photographs with added noise takes values on [0, 1]. The outputs are those of the
    original: tests/golden/n2v_unet_*.npz.
    """

    def __init__(self, config):
        super().__init__(config, name="n2v")
        self.network = build_network(config)
        self.mean, self.std = (
            self.add_weight(
                shape=(config.channels,),
                initializer=value,
                trainable=False,
                dtype="float32",
                name=name,
            )
            for name, value in (("mean", "zeros"), ("std", "ones"))
        )

    @property
    def spatial(self):
        """Number of sides of an image: 2, or 3 for volumes."""
        return self.config.spatial

    CENTRED = True
    MAX_HALO = 10**6  # no limit: tiled results equal whole ones exactly

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return 2200 if self.config.unet == "laine" else 27 * self.config.width

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        config = self.config
        if config.unet == "laine":
            return unet.laine_radius()
        return network.receptive_radius(config.depth, config.kernel_size, config.blurpool)

    def set_statistics(self, mean, std):
        """Sets mean and standard deviation of the training images, (C,) each."""
        self.mean.assign(mean)
        self.std.assign(std)

    def begin_with(self, other):
        """See base.Denoiser; the statistics are those of these training images."""
        mean, std = np.array(self.mean), np.array(self.std)
        taken = super().begin_with(other)
        self.set_statistics(mean, std)
        return taken

    def typical(self, shape, seed):
        """White noise with mean and deviation of the training images, to try the model on."""
        noise = np.random.default_rng(seed).standard_normal(shape)
        return noise * np.asarray(self.std) + np.asarray(self.mean)

    def restore(self, inputs, run, training):
        """Returns `denoised`, with shape and scale of `noisy`, (N, H, W, C) or (N, D, H, W, C)."""
        noisy = inputs["noisy"]
        standard = (noisy - self.mean) / self.std
        if self.config.last_channel_to_all:
            standard = ops.repeat(standard[..., -1:], self.config.channels, axis=-1)
        restored = run(self.network, standard, padding="reflect", centred=self.CENTRED)
        return {"denoised": restored * self.std + self.mean}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss on the blind spots, a scalar, in standard deviations of the training images.

        In this unit learning rate and loss mean the same for images of any scale.
        """
        restored, target = y_pred["denoised"] / self.std, y["target"] / self.std
        if self.config.loss == "mse":
            return losses.mean_square_where(restored, target, y["kept"])
        return losses.mean_absolute_where(restored, target, y["kept"])


def build_network(config):
    """The network of a configuration, for standardised images."""
    if config.unet == "laine":
        return network.build_laine(config.channels, seed=config.seed, dtype=config.dtype_policy)
    return network.build_network(
        config.channels,
        spatial=config.spatial,
        depth=config.depth,
        width=config.width,
        kernel_size=config.kernel_size,
        batch_norm=config.batch_norm,
        residual=config.residual,
        blurpool=config.blurpool,
        skip_skipone=config.skip_skipone,
        single_net_per_channel=config.single_net_per_channel,
        seed=config.seed,
        dtype=config.dtype_policy,
    )


def restore_standardised(restore, model, inputs, **settings):
    """Restores an image after scaling it to the mean and deviation of the training, and back.

    A constant channel can't be scaled; the result has its mean.

    Args:
        restore: function, called as prediction.restore.
        model: `Denoiser`.
        inputs: dict with `noisy`, (H, W, C) or (D, H, W, C).
        **settings: passed to `restore`.

    Returns:
        dict of `denoised`, float32, shape and scale of `noisy`.
    """
    noisy = inputs["noisy"]
    axes = tuple(range(noisy.ndim - 1))
    mean, std = noisy.mean(axis=axes, dtype=np.float64), noisy.std(axis=axes, dtype=np.float64)
    trained_mean, trained_std = np.asarray(model.mean), np.asarray(model.std)
    standard = np.divide(noisy - mean, std, out=np.zeros(noisy.shape), where=std > 0)
    scaled = (standard * trained_std + trained_mean).astype(np.float32)
    restored = restore(model, inputs | {"noisy": scaled}, **settings)["denoised"]
    return {"denoised": ((restored - trained_mean) / trained_std * std + mean).astype(np.float32)}
