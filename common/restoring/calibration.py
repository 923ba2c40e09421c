"""Calibration: a model of Gaussian noise restores images whose noise nobody described.

Microscopes and sensors give noise that grows with the signal, in counts of their own. A rising,
piecewise linear transform f of the values is learned for the images at hand, so that f(noisy) looks
to a trained, frozen denoiser D as its own noisy images did; back(D(f(noisy))) restores them. It is
learned from the noisy images alone: pixels that D does not see are predicted, by a blind-spot
network each of them, by another network those that were replaced by the mean of their neighbours.
For SSDN's, whose error hardly depends on how the noise grows, the likelihood of the pixels counts
too, by a change of variables. The noise must be independent between pixels.

Reference: Herbreteau & Unser, "Self-Calibrated Variance-Stabilizing Transformations for Real-World
Image Denoising" (Noise2VST), ICCV 2025. Theirs: 2,000 steps, D for one sigma; here far fewer are
needed (RESULTS.md), and D works for many strengths of the noise, or is told its strength.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from common import progress
from common.files import pixels
from common.networks import base

KNOTS = 128  # of the transform, evenly over [0, 1]; a power of 2
LEAST_STEP = 1e-6  # by which it rises at least from knot to knot
STEPS, CROPS, CROP_SIZE = 300, 4, 64  # of the training, in a step, pixels
FEW_STEPS = 150  # for a blind-spot network with a likelihood
LEVELS = 4  # images that the level of the noise is found in
RATES = (1e-2, 1e-3, 1e-4)  # of Adam, for a third of the steps each
SQUARES = 100.0  # weight of the square errors beside the likelihood
HIDDEN = 4  # one pixel of 4x4 is hidden from a network that is not blind
RANGE = (1e-4, 1 - 1e-4)  # quantiles of the values that become 0 and 1; those beyond are kept
MIN_PIXELS = 64**2
MIN_SIDE = 32  # of images to learn from


class Calibrated(base.Denoiser):
    """A denoiser between a transform and its inverse; it takes and gives values as files have them.

    The result has `denoised`, and `mean` and `std` where the denoiser inside has them, all in the
    values of the file. Trained by `calibrate`.

    Args:
        inner: the denoiser, of 2D images on [0, 1]; its weights are frozen.
        low, high: values of the file that become 0 and 1.
    """

    SERVES_PICTURES = False  # a deviation in counts is no picture

    def __init__(self, inner: base.Denoiser, low: float, high: float) -> None:
        super().__init__(dataclasses.replace(inner.config, white_level=1.0), name="calibrated")
        self.inner = inner
        for name in ("CENTRED", "TILES", "MAX_TILE", "MAX_HALO"):
            setattr(self, name, getattr(inner, name))
        self.low, self.high = float(low), float(high)
        channels = self.config.channels
        # The identity at first.
        start = math.log(1 / (KNOTS - 1) - LEAST_STEP)
        self.first = self._weight("first", (channels,), "zeros")
        self.steps = self._weight(
            "steps", (channels, KNOTS - 1), keras.initializers.Constant(start)
        )
        # What the back transform adds to the inverse, for the inverse of a mean is not the mean.
        self.slope = self._weight("slope", (channels,), "zeros")
        self.shift = self._weight("shift", (channels,), "zeros")
        # Logarithm of the level of the noise of f(noisy), for a denoiser that must be told; learned
        # with f, and in the end found by `find_levels`.
        self.level = self._weight("level", (1,), "zeros") if inner.takes_level else None

    def _weight(self, name, shape, initializer):
        return self.add_weight(shape=shape, initializer=initializer, dtype="float32", name=name)

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

    @property
    def is_blind(self):
        """Whether the denoiser inside has a `mean` that does not see the pixel itself."""
        return self.inner.predicts_std  # blind-spot networks alone do

    def parts(self):
        """The weights of the transform by name, as files have them."""
        names = ["first", "steps", "slope", "shift"] + ["level"] * (self.level is not None)
        return {name: getattr(self, name) for name in names}

    def knots(self):
        """The values of the transform at its knots, rising, (C, KNOTS)."""
        rises = ops.cumsum(ops.exp(self.steps) + LEAST_STEP, axis=1)
        return self.first[:, None] + ops.concatenate([ops.zeros_like(rises[:, :1]), rises], axis=1)

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
        return copy

    def typical(self, shape, seed):
        """Values over the range of the files, to try the model on."""
        return self.low + (self.high - self.low) * self.inner.typical(shape, seed)

    def forward(self, noisy):
        """f: values of the file (N, H, W, C) to those of the denoiser inside."""
        place, below, above = self._beside(noisy)
        return below + place * (above - below)

    def slope_of(self, noisy):
        """The derivative of f at values of the file (N, H, W, C), over their range."""
        _, below, above = self._beside(noisy)
        return (above - below) * (KNOTS - 1)

    def _beside(self, noisy):
        """(place between the knots around values, 0 to 1, and the transform at these knots)."""
        place = (noisy - self.low) * ((KNOTS - 1) / (self.high - self.low))
        index = ops.clip(ops.floor(place), 0, KNOTS - 2)
        return place - index, *self._neighbours(ops.cast(index, "int32"))

    def back(self, values):
        """(values of the file, their derivative) of values (N, H, W, C) of the denoiser inside."""
        # The last knot that is not above the value, by halves: exports know no other search.
        index = ops.zeros_like(values, dtype="int32")
        step = KNOTS // 2
        while step:
            there, _ = self._neighbours(ops.minimum(index + step, KNOTS - 2))
            further = ops.logical_and(
                ops.less_equal(index + step, KNOTS - 2), ops.less_equal(there, values)
            )
            index = ops.where(further, index + step, index)
            step //= 2
        below, above = self._neighbours(index)
        place = ops.cast(index, "float32") + (values - below) / (above - below)
        unit = place / (KNOTS - 1) + values * self.slope + self.shift
        derivative = ops.maximum(1 / ((KNOTS - 1) * (above - below)) + self.slope, 0.0)
        return self.low + (self.high - self.low) * unit, (self.high - self.low) * derivative

    def _neighbours(self, index):
        """The transform at knots `index` and `index + 1`, int32 (N, H, W, C)."""
        table = ops.reshape(self.knots(), (-1,))
        index = index + KNOTS * ops.arange(self.config.channels, dtype="int32")
        return ops.take(table, index), ops.take(table, index + 1)

    def stable(self, noisy):
        """What the denoiser inside gets for values of the file, (N, H, W, C)."""
        inputs = {"noisy": self.forward(noisy)}
        if self.level is not None:
            inputs["noise_level"] = ops.exp(self.level)[:, None, None, None]
        return inputs

    def find_levels(self, images):
        """Give the denoiser inside, if it must be told, the usual level of the noise of images."""
        if self.level is None:
            return
        found = []
        for number in np.unique(np.linspace(0, len(images) - 1, LEVELS).round().astype(int)):
            middle = np.asarray(pixels.centre(images[number]), np.float32)
            found.append(self.inner.find_level(np.asarray(self.forward(middle[None]))[0]))
        self.level.assign([math.log(np.median(found))])

    def restore(self, inputs, run, training):
        """Restores images; in training from images without their `hidden` pixels."""
        noisy = inputs["noisy"]
        if training and not self.is_blind:
            noisy = ops.where(inputs["hidden"], _mean_of_neighbours(noisy), noisy)
        run = functools.partial(run, training=False)
        if training and self.inner.gives_likelihood:
            mean, negative = self.inner.negative_log_likelihood(self.stable(noisy), run)
            negative = negative - ops.sum(ops.log(self.slope_of(noisy)), axis=-1)
            return {"denoised": self.back(mean)[0], "negative_log_likelihood": negative}
        stable = self.inner.restore(self.stable(noisy), run, False)
        if training:
            return {"denoised": self.back(stable["mean" if self.is_blind else "denoised"])[0]}
        denoised, derivative = self.back(stable["denoised"])
        result = {"denoised": denoised}
        if "mean" in stable:
            result["mean"] = self.back(stable["mean"])[0]
        if "std" in stable:
            result["std"] = stable["std"] * derivative
        return result

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The square error of the hidden pixels, over the range of the values; a scalar.

        With a likelihood SQUARES times that, and the mean of -log p of the pixels.
        """
        error = (y_pred["denoised"] - y["target"]) / (self.high - self.low)
        hidden = ops.cast(y["hidden"], "float32")
        square = ops.sum(hidden * ops.square(error)) / ops.sum(hidden)
        if "negative_log_likelihood" not in y_pred:
            return square
        return SQUARES * square + ops.mean(y_pred["negative_log_likelihood"])


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
    return ""


def calibrate(
    denoiser: base.Denoiser,
    images: Sequence[np.ndarray],
    *,
    steps: int | None = None,
    seed: int = 0,
) -> Calibrated:
    """Learn the transform for noisy images of one acquisition.

    The same images give the same bits. Takes about a quarter of a minute on two CPU cores with a
    plain U-Net, and longer with a blind-spot network.

    Args:
        denoiser: see `refusal`.
        images: noisy, (H, W, C) in the values of the files; about 250,000 pixels are enough. Those
            with a side below MIN_SIDE do not count.
        steps: of the training [300; 150 with SSDN's blind-spot networks].
        seed: of the crops.

    Raises:
        ValueError: the denoiser can't be calibrated, too few pixels, or all of them are equal.
    """
    if why := refusal(denoiser):
        raise ValueError(why)
    images = [image for image in images if min(image.shape[:2]) >= MIN_SIDE]
    if sum(image.shape[0] * image.shape[1] for image in images) < MIN_PIXELS:
        raise ValueError(
            f"calibrate: {MIN_PIXELS} pixels or more are needed, 64x64, in images of {MIN_SIDE} "
            "or more a side."
        )
    values = np.concatenate([np.asarray(image, np.float32).ravel() for image in images])
    low, high = (float(q) for q in np.quantile(values, RANGE))
    if high <= low:
        raise ValueError("calibrate: nearly all values are equal; there is nothing to learn from.")
    model = Calibrated(denoiser, low, high)
    steps = steps or (FEW_STEPS if denoiser.gives_likelihood else STEPS)
    model.find_levels(images)
    # The density of values on a grid, as counts are, has no bound: they are spread over its steps.
    spread = _step(values) if denoiser.gives_likelihood else 0.0
    third = max(steps // 3, 1)
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([third, 2 * third], list(RATES))
    was_trainable, denoiser.trainable = denoiser.trainable, False
    try:
        model.compile(optimizer=keras.optimizers.Adam(rates), jit_compile=model.jit_compile)
        with progress.Progress(steps, "calibrating", unit="step") as bar:
            count = keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: bar.step()
            )
            model.fit(
                _batches(images, seed, every=1 if model.is_blind else HIDDEN, spread=spread),
                steps_per_epoch=steps,
                shuffle=False,
                verbose=0,
                callbacks=[count],
            )
    finally:
        denoiser.trainable = was_trainable
    if not np.isfinite(np.asarray(model.knots())).all():
        raise ValueError("calibrate: the transform is not finite; the images are no use for it.")
    model.find_levels(images)
    return model


def _step(values):
    """The distance of values that lie on a grid, as counts do; small for others."""
    distances = np.diff(np.unique(values))
    return float(distances.min()) if distances.size else 0.0


def _batches(images, seed, every, spread=0.0):
    """Yields batches of crops without end, turned and mirrored, with pixels to predict.

    every: distance of these pixels; 1 for all of them, in all channels.
    spread: width over which every value is drawn evenly anew.
    """
    images = [np.asarray(image, np.float32) for image in images]
    shares = np.array([image.shape[0] * image.shape[1] for image in images], float)
    side = min(CROP_SIZE, *(n for image in images for n in image.shape[:2]))
    channels = images[0].shape[-1]
    rng = np.random.default_rng(seed)
    while True:
        crops = []
        for _ in range(CROPS):
            image = images[rng.choice(len(images), p=shares / shares.sum())]
            top, left = (int(rng.integers(n - side + 1)) for n in image.shape[:2])
            crop = np.rot90(image[top : top + side, left : left + side], rng.integers(4))
            crops.append(crop[:, ::-1] if rng.integers(2) else crop)
        noisy = np.ascontiguousarray(np.stack(crops))
        if spread:
            noisy += np.float32(spread) * (rng.random(noisy.shape, np.float32) - np.float32(0.5))
        hidden = np.zeros(noisy.shape, bool)
        row, column = rng.integers(every, size=2)
        # In one channel alone: the others say much about a pixel.
        chosen = slice(None) if every == 1 else rng.integers(channels)
        hidden[:, row::every, column::every, chosen] = True
        yield {"noisy": noisy, "hidden": hidden}, {"target": noisy, "hidden": hidden}


def _mean_of_neighbours(image):
    """The mean of the four neighbours of every pixel, mirrored at the borders."""
    x = ops.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    return (x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]) / 4
