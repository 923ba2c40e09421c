"""The second denoiser: a plain network, for it need not be blind any more."""

from keras import ops

from common.networks import base, upsampling
from dbsn_tf import mwcnn
from n2n_tf import denoiser as n2n


class Denoiser(base.Denoiser):
    """Restores images by one pass through the network; the result has `denoised` only."""

    def __init__(self, config):
        super().__init__(config, name="distilled")
        self.network = self.student = None
        if config.network == "mwcnn":
            settings = {"seed": config.seed, "dtype": config.dtype_policy}
            self.network = mwcnn.build_network(config.channels, levels=config.levels, **settings)
        else:
            self.student = n2n.Denoiser(config.student())

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        return self.student.radius if self.student else mwcnn.receptive_radius()

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image; measured."""
        return self.student.bytes_per_pixel if self.student else 6 * self.config.width

    def portable(self):
        """A copy of Keras' own layers alone; mwcnn's transforms are convolutions in it."""
        if self.student:
            return super().portable()
        with upsampling.portable():
            copy = type(self)(self.config)
        mwcnn.copy_weights(self.network, copy.network)
        return copy

    def restore(self, inputs, run, training):
        """Returns `denoised` (N, H, W, C) of `noisy` (N, H, W, C), both on [0, 1]."""
        if self.student:
            return self.student.restore(inputs, run, training)
        return {"denoised": run(self.network, inputs["noisy"], padding="reflect")}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Square error to clean images and, times lambda, to the teacher's results; a scalar.

        Reference: Wu et al. 2020, section 3.4 (seeds: 004, "Two-Stage Training").
        """
        return ops.mean(y["weight"] * ops.square(y_pred["denoised"] - y["target"]))
