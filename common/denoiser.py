"""What every denoiser is: a Keras model that restores images of any size and trains by `fit`."""

import functools

import keras
import numpy as np
from keras import ops

from common import metrics, unet


class Denoiser(keras.Model):
    """Network and mathematics as one model; a method's `denoiser.py` fills in `restore`.

    Calling it on (N, H, W, C) float32 images, or on a dict of `noisy` and `noise_level` (N,), gives
    a dict with `denoised` (N, H, W, C); blind-spot methods add `mean`, `std` and `noise_std`. Any H
    and W: padding and cropping are inside.
    """

    # What an exported model is fed, beside the level of the noise: channels by name, 0 for those of
    # the configuration.
    INPUTS = {"noisy": 0}
    # Whether a large image may be restored in pieces.
    TILES = True
    # Longest side of a tile, whatever the memory; None: any.
    MAX_TILE = None
    # Whether images are padded on both sides, not right and bottom alone.
    CENTRED = False
    # Pixels that a tile reaches farther than what is taken from it, at most: where `radius` is
    # more, the result is not exactly that of the whole image, by what RESULTS.md says.
    MAX_HALO = 48

    def __init__(self, config, *, name):
        super().__init__(name=name)
        self.config = config
        self.built = True  # networks are built by their constructors
        # XLA's convolutions are slow on CPUs, and the exact shapes it wants are many here.
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.psnr = metrics.MeanPSNR(name="psnr")

    @property
    def spatial(self):
        """How many sides an image has: 2, or 3 of volumes (N, D, H, W, C)."""
        return 2

    @property
    def scale(self):
        """How many times larger H and W of what it restores are than those of its input."""
        return 1

    @property
    def radius(self):
        """How far an output pixel sees, at most, pixels; see `unet.radius`."""
        raise NotImplementedError

    @property
    def halo(self):
        """Pixels that a tile reaches farther than what is taken from it."""
        return min(self.radius, self.MAX_HALO)

    @property
    def bytes_per_pixel(self):
        """Memory that restoring takes, at its peak, over the pixels of the image; measured."""
        raise NotImplementedError

    @property
    def predicts_std(self):
        """Whether the result has `std`."""
        return False

    def restore(self, noisy, noise_level, run, training):
        """Restores images.

        Args:
            noisy: (N, H, W, C), any H and W.
            noise_level: (N, 1, 1, 1), or None if not given.
            run: run(network, images, padding=..., centred=False) runs a network, as
                `unet.run_padded` does.
            training: adds what the loss needs to the result.

        Returns:
            dict of arrays (N, H or 1, W or 1, ...).
        """
        raise NotImplementedError

    def typical(self, shape, seed):
        """White noise over the range of the training's images, to try a model on."""
        return np.random.default_rng(seed).random(shape)

    def call(self, inputs, training=False, padded=True):
        """padded: False for images whose sides are multiples of `config.side_multiple`."""
        if not isinstance(inputs, dict):
            inputs = {"noisy": inputs}
        noisy, noise_level = inputs["noisy"], inputs.get("noise_level")
        if noise_level is not None:
            noise_level = ops.reshape(noise_level, (-1, *[1] * (self.spatial + 1)))
        multiple = self.config.side_multiple if padded else 1
        run = functools.partial(unet.run_padded, multiple=multiple, training=training)
        return self.restore(noisy, noise_level, run, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        if "clean" in y:
            self.psnr.update_state(y["clean"], y_pred["denoised"])
            return self.get_metrics_result()
        results = self.get_metrics_result()
        results.pop("psnr", None)  # nothing to compare with: an empty mean would read 0 dB
        return results
