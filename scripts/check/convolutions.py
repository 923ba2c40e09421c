"""The convolutions of a training step, each timed alone: what a step would cost at the least.

The step's graph says which ones there are, with their shapes. A convolution is a layer's, or the
input gradient of a transposed one; a transposed convolution is the other way round.
"""

from __future__ import annotations

import collections
import dataclasses
import time

import numpy as np
import tensorflow as tf

# Operation -> (kind, positions among its inputs of the tensors with values).
KINDS = {
    "Conv2D": ("convolution", (0, 1)),
    "Conv2DBackpropInput": ("transposed", (1, 2)),
    "Conv2DBackpropFilter": ("kernel gradient", (0, 2)),
    "Conv3D": ("convolution", (0, 1)),
    "Conv3DBackpropInputV2": ("transposed", (1, 2)),
    "Conv3DBackpropFilterV2": ("kernel gradient", (0, 2)),
}
CALLS = 7  # of each convolution; the first warms up


@dataclasses.dataclass(frozen=True)
class Convolution:
    """One convolution, of which a step may hold several alike.

    Attributes:
        operation: TensorFlow's name, see KINDS.
        shapes: of its tensors with values.
        sizes: the shape it gives a gradient for; () for a plain convolution.
        strides, padding: of the convolution.
        dtype: "float32" or "bfloat16".
    """

    operation: str
    shapes: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dtype: str

    @property
    def kind(self) -> str:
        """convolution, transposed or kernel gradient."""
        return KINDS[self.operation][0]

    @property
    def flops(self) -> float:
        """Multiplications and additions."""
        *_, features = kernel = self.sizes if self.kind == "kernel gradient" else self._kernel
        fine = self._fine
        return 2.0 * np.prod(fine) / features * np.prod(kernel)

    @property
    def _kernel(self):
        return self.shapes[1] if self.kind == "convolution" else self.shapes[0]

    @property
    def _fine(self):
        """Shape of the convolution's output, or of its gradient."""
        if self.kind != "convolution":
            return self.shapes[1]
        sides = self.shapes[0][1:-1]
        kernel, strides = self._kernel[: len(sides)], self.strides[1:-1]
        if self.padding == "VALID":
            sides = [side - size + 1 for side, size in zip(sides, kernel)]
        sides = [-(-side // stride) for side, stride in zip(sides, strides)]
        return (self.shapes[0][0], *sides, self._kernel[-1])

    def seconds(self) -> float:
        """Median time of a call on both inputs drawn at random, seconds."""
        values = [tf.cast(tf.random.normal(shape), self.dtype) for shape in self.shapes]
        sizes = [tf.constant(self.sizes)] if self.sizes else []
        by_position = dict(zip(KINDS[self.operation][1], values))
        arguments = [
            by_position[i] if i in by_position else sizes[0] for i in range(len(values + sizes))
        ]
        run = getattr(tf.raw_ops, self.operation)
        names = {
            "convolution": ("input", "filter"),
            "transposed": ("input_sizes", "filter", "out_backprop"),
            "kernel gradient": ("input", "filter_sizes", "out_backprop"),
        }[self.kind]
        settings = dict(zip(names, arguments), strides=self.strides, padding=self.padding)
        times = []
        for _ in range(CALLS):
            began = time.perf_counter()
            run(**settings).numpy()
            times.append(time.perf_counter() - began)
        return float(np.median(times[1:]))


def of_step(denoiser, batch) -> dict[Convolution, int]:
    """The convolutions of a training step, and how many of each there are.

    Args:
        denoiser: compiled.
        batch: (x, y) of the training.

    Raises:
        ValueError: the graph leaves a shape open.
    """
    specs = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), batch)
    graph = tf.function(denoiser.train_step).get_concrete_function(specs).graph
    counts: dict[Convolution, int] = collections.Counter()
    for operation in graph.get_operations():
        if operation.type in KINDS:
            counts[_read(operation)] += 1
    return counts


def _read(operation):
    _, positions = KINDS[operation.type]
    shapes = [_shape(operation.inputs[i]) for i in positions]
    others = [tensor for i, tensor in enumerate(operation.inputs) if i not in positions]
    result = _shape(operation.outputs[0]) if others else ()
    return Convolution(
        operation.type,
        tuple(shapes),
        result,
        tuple(operation.get_attr("strides")),
        operation.get_attr("padding").decode(),
        operation.inputs[positions[0]].dtype.name,
    )


def _shape(tensor):
    if not tensor.shape.is_fully_defined():
        raise ValueError(f"{tensor.name}: its shape {tensor.shape} is open.")
    return tuple(tensor.shape.as_list())


def matrix_flops(dtype: str, size: int = 2048) -> float:
    """Floating-point operations a second of a square matrix product: the machine's ceiling."""
    a = tf.cast(tf.random.normal((size, size)), dtype)
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        tf.matmul(a, a).numpy()
        times.append(time.perf_counter() - began)
    return 2.0 * size**3 / float(np.median(times[1:]))
