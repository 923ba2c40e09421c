"""What every denoiser is: a Keras model that restores images of any size and trains by `fit`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from common.networks import metrics, unet
from common.types import Array, Result

# run(network, images, padding=..., centred=False) runs a network as `unet.run_padded` does.
Run = Callable[..., Array]


class Denoiser(keras.Model):
    """Network and mathematics as one model; a method's `denoiser.py` overrides `restore`.

    Calling it on (N, H, W, C) float32 images, or on a dict with `noisy` and `noise_level` (N,),
    gives a dict with `denoised` (N, H, W, C), see types.Result. Any H and W: padding and cropping
    are inside. Subclasses also override `compute_loss`, `radius` and `bytes_per_pixel`.
    """

    # Inputs of an exported model besides the level of the noise: name -> number of channels, 0 for
    # that of the configuration.
    INPUTS: Mapping[str, int] = {"noisy": 0}
    # Whether a large image may be restored in tiles.
    TILES: bool = True
    # Longest side of a tile, whatever the memory; None: any.
    MAX_TILE: int | None = None
    # Whether images are padded on both sides, instead of right and bottom alone.
    CENTRED: bool = False
    # Largest halo of a tile, pixels. Where a pixel sees farther than that, a tiled result differs
    # slightly from that of the whole image; RESULTS.md says by how much.
    MAX_HALO: int = 48

    def __init__(self, config: Any, *, name: str) -> None:
        super().__init__(name=name)
        self.config = config
        self.built = True  # networks are built by their constructors
        # XLA's convolutions are slow on CPUs, and it compiles anew for each of many image sizes.
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.psnr = metrics.MeanPSNR(name="psnr")

    @property
    def spatial(self) -> int:
        """How many sides an image has: 2, or 3 for volumes (N, D, H, W, C)."""
        return 2

    @property
    def scale(self) -> int:
        """Factor by which H and W of the result are larger than those of the input."""
        return 1

    @property
    def radius(self) -> int:
        """How far an output pixel sees, at most, pixels; see `sizes.radius`."""
        raise TypeError(f"{type(self).__name__} must override radius.")

    @property
    def halo(self) -> int:
        """Width of a tile's outer part, which is computed and not kept, pixels."""
        return min(self.radius, self.MAX_HALO)

    @property
    def bytes_per_pixel(self) -> int:
        """Memory that restoring takes at its peak, divided by the pixels of the image; measured."""
        raise TypeError(f"{type(self).__name__} must override bytes_per_pixel.")

    @property
    def predicts_std(self) -> bool:
        """Whether the result has `std`."""
        return False

    def restore(self, inputs: Mapping[str, Array], run: Run, training: bool) -> Result:
        """Restores images. Every method has its own.

        Args:
            inputs: `noisy` (N, H, W, C), any H and W; `noise_level` (N, 1, 1, 1) if it is given;
                what else INPUTS names.
            run: run(network, images, padding=..., centred=False) runs a network, as
                `unet.run_padded` does.
            training: whether to add what the loss needs.

        Returns:
            dict of arrays (N, H or 1, W or 1, ...).
        """
        raise TypeError(f"{type(self).__name__} must override restore.")

    def typical(self, shape: tuple[int, ...], seed: int) -> np.ndarray:
        """White noise over the range of the training's images, to try a model on."""
        return np.random.default_rng(seed).random(shape)

    def call(self, inputs: Any, training: bool = False, padded: bool = True) -> Result:
        """Restores images, see the class.

        padded: False for images whose sides are multiples of `config.side_multiple`.
        """
        inputs = dict(inputs) if isinstance(inputs, dict) else {"noisy": inputs}
        if inputs.get("noise_level") is not None:
            shape = (-1, *[1] * (self.spatial + 1))
            inputs["noise_level"] = ops.reshape(inputs["noise_level"], shape)
        multiple = self.config.side_multiple if padded else 1
        run = functools.partial(unet.run_padded, multiple=multiple, training=training)
        return self.restore(inputs, run, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """PSNR to the clean images, where there are any."""
        if "clean" in y:
            self.psnr.update_state(y["clean"], y_pred["denoised"])
            return self.get_metrics_result()
        results = self.get_metrics_result()
        results.pop("psnr", None)  # nothing to compare with: an empty mean would read 0 dB
        return results
