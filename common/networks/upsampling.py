"""Convolutions of upsampled images, computed at the low resolution.

A U-Net's decoder repeats every pixel 2x2 times, joins a skip connection, and convolves. Repetition
and convolution together are one transposed convolution of stride 2, whose kernel has one value more
on each side, sums of the kernel's: four ninths of the multiplications of a 3x3 kernel, and no
upsampled image in memory. The skip's share is computed apart and added. docs/performance.md has the
times.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from common.types import Array

# Pixels of padding (before, after) for each side of an image.
Padding = Sequence[tuple[int, int]]

_portable = contextvars.ContextVar("portable", default=False)
_in_phases = contextvars.ContextVar("in_phases", default=False)


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """Networks built under it consist of Keras' own layers, which load without this project.

    They compute the same, slower. Both kinds have the same weights in the same order.
    """
    token = _portable.set(True)
    try:
        yield
    finally:
        _portable.reset(token)


def is_portable() -> bool:
    """Whether the network now being built must consist of Keras' own layers."""
    return _portable.get()


@contextlib.contextmanager
def in_phases() -> Iterator[None]:
    """Graphs traced under it use plain convolutions in place of transposed ones; images only.

    Pixels of even and odd rows and columns are the features of a convolution, 2x2 times as many,
    which are then interleaved. The sums are the same. ONNX Runtime multiplies matrices for a
    transposed convolution and adds up their parts, which takes it longer (docs/performance.md has
    what whole networks gain). TensorFlow only.
    """
    token = _in_phases.set(True)
    try:
        yield
    finally:
        _in_phases.reset(token)


def convolution(
    spatial: int,
    filters: int,
    kernel_size: int,
    *,
    pads: Padding | None = None,
    **settings: Any,
) -> Callable[..., Array]:
    """Make a layer that enlarges an image twice by repetition, joins a skip, and convolves.

    Args:
        spatial: number of sides of an image, 2 or 3.
        filters: number of output features.
        kernel_size: side of the kernel, an odd number.
        pads: zeros (before, after) the enlarged image for each side, kernel_size - 1 together; if
            None, half on each.
        **settings: kernel_initializer, dtype and name of the layer.

    Returns:
        layer(coarse, skip) or layer(coarse): (N, H, W, C), (N, 2H, 2W, S) -> (N, 2H, 2W, filters);
        volumes with a D before H. The kernel is that of a convolution of the concatenated
        (enlarged, skip), C + S channels.

    Raises:
        ValueError: an even kernel_size.
    """
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size={kernel_size}: expected an odd number.")
    if not is_portable():
        fast: Any = {2: Conv2D, 3: Conv3D}[spatial]
        return fast(filters, kernel_size, pads=pads, **settings)
    standard = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[spatial]
    enlarge = {2: keras.layers.UpSampling2D, 3: keras.layers.UpSampling3D}[spatial](2)
    layer = standard(filters, kernel_size, padding="valid" if pads else "same", **settings)

    def call(coarse: Array, skip: Array | None = None) -> Array:
        joined = enlarge(coarse)
        if skip is not None:
            joined = ops.concatenate([joined, skip], axis=-1)
        return layer(ops.pad(joined, ((0, 0), *pads, (0, 0))) if pads else joined)

    return call


class _Upsampled:
    """Turns a convolution of Keras into one of an upsampled image and, if given, a skip."""

    def __init__(
        self, filters: int, kernel_size: int, *, pads: Padding | None = None, **settings: Any
    ) -> None:
        super().__init__(filters, kernel_size, padding="same", **settings)  # type: ignore[call-arg]
        self._pads = pads

    def build(self, coarse_shape, skip_shape=None):
        channels = coarse_shape[-1] + (skip_shape[-1] if skip_shape else 0)
        super().build((*self._enlarged(coarse_shape), channels))
        self.input_spec = None  # super().build expects one input with all channels

    def _enlarged(self, shape):
        return (shape[0], *(None if n is None else 2 * n for n in shape[1:-1]))

    def compute_output_shape(self, coarse_shape, skip_shape=None):
        return (*self._enlarged(coarse_shape), self.filters)

    def call(self, coarse, skip=None):
        return convolve(coarse, skip, self.kernel, self.bias, pads=self._pads)


def convolve(
    coarse: Array,
    skip: Array | None,
    kernel: Array,
    bias: Array,
    *,
    pads: Padding | None = None,
    trained: bool = True,
) -> Array:
    """Enlarge an image twice by repetition, join a skip, and convolve; see `convolution`.

    Args:
        coarse, skip, pads: as there.
        kernel: (k, k, C + S, filters), bias: (filters,).
        trained: whether a gradient is needed; if not, slices have constant bounds, which runtimes
            of ONNX prefer, and whose gradient takes TensorFlow long.
    """
    if skip is None:
        return _convolve_upsampled(coarse, kernel, pads, trained) + bias
    kernel, skip_kernel = ops.split(kernel, [coarse.shape[-1]], axis=-2)
    if pads:
        skip = ops.pad(skip, ((0, 0), *pads, (0, 0)))
    # The bias first: TensorFlow merges it into the convolution it follows.
    added = ops.conv(skip, skip_kernel, padding="valid" if pads else "same") + bias
    return _convolve_upsampled(coarse, kernel, pads, trained) + added


def _convolve_upsampled(coarse, kernel, pads, trained):
    size = kernel.shape[0]
    kernel = _transposed(kernel)
    if _in_phases.get() and len(coarse.shape) == 4:
        return _interleaved(coarse, kernel, pads or ((size // 2, size // 2),) * 2)
    if not pads:
        return ops.conv_transpose(coarse, kernel, strides=2, padding="same")
    whole = ops.conv_transpose(coarse, kernel, strides=2, padding="valid")
    if not trained:
        kept = [slice(None), *(slice(after, -before or None) for before, after in pads)]
        return whole[tuple(kept)]
    batch, *sides = ops.shape(coarse)[:-1]
    starts = (0, *(after for _, after in pads), 0)
    return ops.slice(whole, starts, (batch, *(2 * n for n in sides), kernel.shape[-2]))


def _interleaved(coarse: Array, kernel: Array, pads: Padding) -> Array:
    """The transposed convolution of stride 2, without the border that belongs to the padding.

    Pixel 2m + a of its result gets value 2t + a of the kernel from the coarse pixel m - t.

    Args:
        coarse: (N, H, W, C).
        kernel: of `_transposed`, (k + 1, k + 1, filters, C).
        pads: ((before, after), (before, after)), which make k - 1 each.
    """
    import tensorflow as tf  # Keras 3.10 has no depth_to_space

    taps, channels = kernel.shape[0] // 2, kernel.shape[-1]
    kernel = ops.reshape(kernel, (taps, 2, taps, 2, -1, channels))[::-1, :, ::-1]
    kernel = ops.transpose(kernel, (0, 2, 5, 1, 3, 4))
    zeros, kept = [], [slice(None)]
    for _, after in pads:
        first, odd = divmod(after, 2)  # m of the first pixel that is kept, and its a
        zeros.append((taps - 1 - first, first + odd))
        kept.append(slice(odd, -odd or None))
    coarse = ops.pad(coarse, ((0, 0), *zeros, (0, 0)))
    phases = ops.conv(coarse, ops.reshape(kernel, (taps, taps, channels, -1)), padding="valid")
    return tf.nn.depth_to_space(phases, 2)[tuple(kept)]


def _transposed(kernel: Array) -> Array:
    """The kernel of the transposed convolution, (k + 1, k + 1, filters, channels).

    kernel: (k, k, channels, filters), of the convolution of the upsampled image. Pixel a of the
    coarse image is 2a and 2a + 1 of the upsampled one, which value i of the kernel takes to output
    pixel 2a - i and 2a + 1 - i, plus what the padding adds.
    """
    *sides, channels, filters = kernel.shape
    one_side: list[Any] = [
        np.eye(size + 1, size)[::-1] + np.eye(size + 1, size, -1)[::-1] for size in sides
    ]
    sums = ops.convert_to_tensor(functools.reduce(np.kron, one_side), kernel.dtype)
    flat = ops.reshape(kernel, (-1, channels * filters))
    whole = ops.reshape(ops.matmul(sums, flat), (*(n + 1 for n in sides), channels, filters))
    return ops.swapaxes(whole, -1, -2)


# Keras names weights in files after the class: these must be called as Keras' own.
class Conv2D(_Upsampled, keras.layers.Conv2D):
    """A 2D convolution of an image upsampled by repetition; called with (coarse[, skip])."""


class Conv3D(_Upsampled, keras.layers.Conv3D):
    """A 3D convolution of a volume upsampled by repetition; called with (coarse[, skip])."""
