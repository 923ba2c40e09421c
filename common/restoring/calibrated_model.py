"""A denoiser between a transform of the values and its inverse: what a calibration makes."""

from __future__ import annotations

import dataclasses

import numpy as np
from keras import ops

from common.networks import base
from common.restoring import noise_curve

KNOTS = 128  # of the transform, evenly over the values; a power of 2
REACH = (-1.0, 2.0)  # of what the denoiser gets; what lies beyond, hot pixels, is added afterwards


class Calibrated(base.Denoiser):
    """A denoiser between a transform and its inverse; it takes and gives values as files have them.

    The result has `denoised`, and `mean` and `std` where the denoiser inside has them, all in the
    values of the file. Made by `calibrate`.

    Args:
        inner: the denoiser, of 2D images on [0, 1].
        low, high: values of the file that the first and last knot stand for.

    Attributes:
        forward_table, back_table: f and the function that `back` inverts at the knots, (C, KNOTS),
            rising; beyond the knots both go on straight.
        level: (1,), the deviation of the noise of f(noisy), on [0, 1].
        curves: of the noise of each channel, as `calibrate` measured it; none if a file was read.
        inner_name: run folder of the denoiser, or name of a shipped one; "" if it is not known.
    """

    SERVES_PICTURES = False  # a deviation in counts is no picture

    def __init__(self, inner: base.Denoiser, low: float, high: float) -> None:
        super().__init__(dataclasses.replace(inner.config, white_level=1.0), name="calibrated")
        self.inner = inner
        for name in ("CENTRED", "TILES", "MAX_TILE", "MAX_HALO"):
            setattr(self, name, getattr(inner, name))
        self.low, self.high = float(low), float(high)
        self.curves: list[noise_curve.Curve] = []
        self.inner_name = ""
        shape = (self.config.channels, KNOTS)
        self.forward_table = self._weight("forward_table", shape)
        self.back_table = self._weight("back_table", shape)
        self.level = self._weight("level", (1,))
        start = np.tile(np.linspace(0, 1, KNOTS), (self.config.channels, 1))
        self.set_tables(start, start, 25 / 255)

    def _weight(self, name, shape):
        return self.add_weight(shape=shape, initializer="zeros", dtype="float32", name=name)

    def set_tables(self, forward: np.ndarray, back: np.ndarray, level: float) -> None:
        """Change the transform: tables (C, KNOTS) and level as the attributes."""
        self.forward_table.assign(forward)
        self.back_table.assign(back)
        self.level.assign([level])

    @property
    def radius(self):
        """How far an output pixel sees, pixels."""
        return self.inner.radius

    @property
    def halo(self):
        """Width of a tile's halo, pixels."""
        return self.inner.halo

    @property
    def bytes_per_pixel(self):
        """Peak memory of restoring, bytes per pixel of the image."""
        return self.inner.bytes_per_pixel + 40 * self.config.channels

    @property
    def predicts_std(self):
        """Whether the result has `std`."""
        return self.inner.predicts_std

    @property
    def takes_level(self):
        """See base.Denoiser; the level was found with the transform."""
        return False

    def parts(self):
        """The weights of the transform by name, as files have them."""
        names = ("forward_table", "back_table", "level")
        return {name: getattr(self, name) for name in names}

    def copy(self):
        """The same around a copy of the denoiser inside."""
        return self._with(self.inner.copy())

    def portable(self):
        """See base.Denoiser."""
        return self._with(self.inner.portable())

    def for_onnx(self):
        """See base.Denoiser."""
        return self._with(self.inner.for_onnx())

    def _with(self, inner):
        copy = Calibrated(inner, self.low, self.high)
        for key, weight in self.parts().items():
            getattr(copy, key).assign(weight)
        copy.curves, copy.inner_name = list(self.curves), self.inner_name
        return copy

    def typical(self, shape, seed):
        """Values over the range of the files, to try the model on."""
        return self.low + (self.high - self.low) * self.inner.typical(shape, seed)

    def forward(self, noisy):
        """f: values of the file (N, H, W, C) to those of the denoiser inside, about [0, 1]."""
        place = (noisy - self.low) * ((KNOTS - 1) / (self.high - self.low))
        index = ops.clip(ops.floor(place), 0, KNOTS - 2)
        below, above = self._neighbours(self.forward_table, ops.cast(index, "int32"))
        return below + (place - index) * (above - below)

    def back(self, values):
        """(values of the file, their derivative) of values (N, H, W, C) of the denoiser inside."""
        # The last knot that is not above the value, by halves: exports know no other search.
        index = ops.zeros_like(values, dtype="int32")
        step = KNOTS // 2
        while step:
            there, _ = self._neighbours(self.back_table, ops.minimum(index + step, KNOTS - 2))
            further = ops.logical_and(
                ops.less_equal(index + step, KNOTS - 2), ops.less_equal(there, values)
            )
            index = ops.where(further, index + step, index)
            step //= 2
        below, above = self._neighbours(self.back_table, index)
        place = ops.cast(index, "float32") + (values - below) / (above - below)
        spacing = (self.high - self.low) / (KNOTS - 1)
        return self.low + spacing * place, spacing / (above - below)

    def _neighbours(self, table, index):
        """A table at knots `index` and `index + 1`, int32 (N, H, W, C)."""
        flat = ops.reshape(table, (-1,))
        index = index + KNOTS * ops.arange(self.config.channels, dtype="int32")
        return ops.take(flat, index), ops.take(flat, index + 1)

    def within_reach(self, noisy):
        """Values of the file (N, H, W, C), clipped where f leaves REACH beyond the knots."""
        table, spacing = self.forward_table, (self.high - self.low) / (KNOTS - 1)
        lowest = ops.minimum(REACH[0] - table[:, 0], 0) / (table[:, 1] - table[:, 0])
        highest = ops.maximum(REACH[1] - table[:, -1], 0) / (table[:, -1] - table[:, -2])
        return ops.clip(noisy, self.low + spacing * lowest, self.high + spacing * highest)

    def stable(self, noisy):
        """What the denoiser inside gets for values of the file, (N, H, W, C)."""
        inputs = {"noisy": self.forward(self.within_reach(noisy))}
        if self.inner.takes_level:
            inputs["noise_level"] = self.level[:, None, None, None]
        return inputs

    def restore(self, inputs, run, training):
        """Restores images; see base.Denoiser."""
        beyond = inputs["noisy"] - self.within_reach(inputs["noisy"])
        stable = self.inner.restore(self.stable(inputs["noisy"]), run, False)
        denoised, derivative = self.back(stable["denoised"])
        result = {"denoised": denoised + beyond}
        if "mean" in stable:
            result["mean"] = self.back(stable["mean"])[0] + beyond
        if "std" in stable:
            result["std"] = stable["std"] * derivative
        return result


def refusal(denoiser: base.Denoiser) -> str:
    """Why a denoiser can't be calibrated, in a sentence; empty if it can."""
    config = denoiser.config
    if denoiser.spatial != 2 or denoiser.scale != 1 or list(denoiser.INPUTS) != ["noisy"]:
        return "calibrate: is for models that restore pictures of the same size from themselves."
    if not denoiser.is_on_unit_scale or config.noise_model != "gauss":
        return (
            "calibrate: is for models of Gaussian noise on [0, 1], as the shipped ones are; this "
            "one was trained on other noise, or on files like these."
        )
    if config.estimates_once:
        return "calibrate: this model knows the one level of noise that its training found."
    if denoiser.takes_level and not config.finds_level:
        return "calibrate: this model must be told its noise; take one that finds it."
    if config.noise.is_fixed and not config.noise.is_none:
        return "calibrate: this model knows noise of one strength; take one of a range."
    return ""
