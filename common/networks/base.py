"""The base class of denoisers: Keras models that restore images of any size and train by `fit`."""

from __future__ import annotations

import collections
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import keras
import numpy as np
from keras import ops

from common.networks import metrics, unet, upsampling
from common.types import Array, Inputs, Result, Targets

# run(network, images, padding=..., centred=False) runs a network, as `unet.run_padded` does.
Run = Callable[..., Array]


class Denoiser(keras.Model):
    """A network and the mathematics around it, as one Keras model.

    Calling it on (N, H, W, C) float32 images, or on a dict with `noisy` and `noise_level` (N,),
    returns a dict with `denoised` (N, H, W, C), see types.Result. H and W may be any number: the
    model pads the images and crops the results.

    The denoiser of a method overrides `restore`, `compute_loss`, `radius` and `bytes_per_pixel`.

    Args:
        config: configuration of the method.
        name: of the Keras model.
    """

    # Inputs of an exported model besides the noise level: name -> number of channels, 0 for that of
    # the configuration.
    INPUTS: Mapping[str, int] = {"noisy": 0}
    # Whether large images may be restored in tiles.
    TILES: bool = True
    # Longest side of a tile, pixels; None: only memory limits it.
    MAX_TILE: int | None = None
    # Whether exports also take and give picture files.
    SERVES_PICTURES: bool = True
    # Whether images are padded on all sides, not only on the right and at the bottom.
    CENTRED: bool = False
    # Largest halo of a tile, pixels. Where `radius` is larger, the result from tiles differs
    # slightly from that of the whole image; RESULTS.md says by how much.
    MAX_HALO: int = 48

    def __init__(self, config: Any, *, name: str) -> None:
        super().__init__(name=name)
        self.config = config
        self.built = True  # the constructors build the networks
        # XLA's convolutions are slow on CPUs, and XLA compiles anew for every size of image.
        self.jit_compile = keras.backend.backend() != "tensorflow"
        self.psnr = metrics.MeanPSNR(name="psnr")

    @property
    def spatial(self) -> int:
        """Number of sides of an image: 2, or 3 for volumes (N, D, H, W, C)."""
        return 2

    @property
    def scale(self) -> int:
        """Factor by which H and W of the result are larger than those of the input."""
        return 1

    @property
    def radius(self) -> int:
        """Distance to the farthest input pixel that an output pixel depends on, pixels.

        See `sizes.radius`.
        """
        raise TypeError(f"{type(self).__name__} must override radius.")

    @property
    def halo(self) -> int:
        """Width of a tile's halo, the outer part that is computed but not kept, pixels."""
        return min(self.radius, self.MAX_HALO)

    @property
    def bytes_per_pixel(self) -> int:
        """Peak memory of restoring an image, bytes per pixel of the image; measured."""
        raise TypeError(f"{type(self).__name__} must override bytes_per_pixel.")

    def pixels_in(self, gigabytes: float) -> int:
        """How many pixels the model can restore at once in this much memory; at least 1."""
        return max(1, int(gigabytes * 1e9 / self.bytes_per_pixel))

    @property
    def is_on_unit_scale(self) -> bool:
        """Whether inputs are on [0, 1], noise beyond it apart, so that others can be refused."""
        return not (self.config.keeps_counts or self.config.white_level)

    @property
    def predicts_std(self) -> bool:
        """Whether the result has `std`, the predicted standard deviation."""
        return self.config.predicts_std

    @property
    def takes_level(self) -> bool:
        """Whether the model is given the level of the noise, with each image or by its training."""
        return self.config.takes_level

    @property
    def needs_level(self) -> bool:
        """Whether the level must come with each image, for that of the training was a range."""
        return self.takes_level and not self.config.noise.is_fixed

    @property
    def looks_for_level(self) -> bool:
        """Whether an image that comes without its level needs `find_level`."""
        return self.needs_level and self.config.finds_level

    def find_level(self, noisy: np.ndarray) -> float:
        """The noise parameter of an image, (H, W, C) on [0, 1]; see Config.finds_level."""
        raise TypeError(f"{type(self).__name__} finds no level.")

    def restore(self, inputs: Inputs, run: Run, training: bool) -> Result:
        """Restore images; every method overrides it.

        Args:
            inputs: `noisy` (N, H, W, C), any H and W; `noise_level` (N, 1, 1, 1), if the model
                takes it; the other inputs that INPUTS names.
            run: run(network, images, padding=..., centred=False) runs a network, as
                `unet.run_padded` does.
            training: whether the result must also hold what the loss needs.

        Returns:
            dict of arrays (N, H or 1, W or 1, ...), see types.Result.
        """
        raise TypeError(f"{type(self).__name__} must override restore.")

    def noise_levels(self, values: np.ndarray) -> np.ndarray | None:
        """The noise level function that was learned: deviations at clean values, all on [0, 1].

        None if the model has none; `values` and the result are (K,).
        """
        return None

    def begin_with(self, other: Denoiser) -> int:
        """Take over the weights of a model of the same method; return how many numbers they are.

        What the other has not, as a network of the noise, keeps its initial weights.

        Raises:
            ValueError: a weight has another shape there, or none is there.
        """
        theirs = _numbered(other.weights)
        taken = 0
        for key, weight in _numbered(self.weights).items():
            if key not in theirs:
                continue
            if theirs[key].shape != weight.shape:
                raise ValueError(f"{key[0]} has the shape {theirs[key].shape}, not {weight.shape}")
            weight.assign(theirs[key])
            taken += math.prod(weight.shape)
        if not taken:
            raise ValueError("none of its weights are of this network")
        return taken

    def begin_stage(self, step: int) -> bool:
        """Prepare for the training from a step on; return whether anything changed.

        A method whose training has stages, see `Config.crop_stages`, overrides it.
        """
        return False

    def copy(self) -> Denoiser:
        """A model of the same configuration, with copies of the weights."""
        copy = type(self)(self.config)  # type: ignore[call-arg]  # methods give the name themselves
        copy.set_weights(self.get_weights())
        return copy

    def portable(self) -> Denoiser:
        """A copy that consists of Keras' own layers alone, for files that load anywhere."""
        with upsampling.portable():
            return self.copy()

    def for_onnx(self) -> Denoiser:
        """The model in the form that runtimes of ONNX compute fastest."""
        return self

    def typical(self, shape: tuple[int, ...], seed: int) -> np.ndarray:
        """Draw white noise over the range of the training images, to try the model on.

        Args:
            shape: of the array, (N, H, W, C) or (N, D, H, W, C).
            seed: of the draws.
        """
        return np.random.default_rng(seed).random(shape)

    def call(self, inputs: Any, training: bool = False, padded: bool = True) -> Result:
        """Restore images of any size.

        Args:
            inputs: (N, H, W, C) float32, or a dict with `noisy` and, where the model takes them,
                `noise_level` (N,) and the other inputs that INPUTS names.
            training: whether the result must also hold what the loss needs.
            padded: False to run without padding; the sides must then be multiples of
                `config.side_multiple`.

        Returns:
            dict, see types.Result.
        """
        inputs = dict(inputs) if isinstance(inputs, dict) else {"noisy": inputs}
        if inputs.get("noise_level") is not None:
            shape = (-1, *[1] * (self.spatial + 1))
            inputs["noise_level"] = ops.reshape(inputs["noise_level"], shape)
        multiple = self.config.side_multiple if padded else 1
        run = functools.partial(unet.run_padded, multiple=multiple, training=training)
        result = self.restore(cast(Inputs, inputs), run, training)
        if "std" in result and self.config.std_scale != 1.0:
            result = cast(Result, result | {"std": self.config.std_scale * result["std"]})
        return result

    def compute_metrics(
        self, x: Inputs, y: Targets, y_pred: Result, sample_weight: Any = None
    ) -> dict[str, Array]:
        """The metrics of a training step; PSNR only where the batch has clean images."""
        if "clean" in y:
            self.psnr.update_state(y["clean"], y_pred["denoised"], x.get("inside"))
            return self.get_metrics_result()
        results = self.get_metrics_result()
        results.pop("psnr", None)  # without clean images the empty mean would be 0 dB
        return results


def _numbered(weights):
    """{(path, how many of that path came before): weight}; two networks may have equal paths."""
    seen = collections.Counter()
    numbered = {}
    for weight in weights:
        numbered[weight.path, seen[weight.path]] = weight
        seen[weight.path] += 1
    return numbered
