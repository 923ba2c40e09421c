"""Checks inside an exported graph: what a client sent wrong, in a sentence, instead of nonsense.

They read the inputs once, which is nothing beside a network. ONNX has no such operations; its files
go without.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping

import tensorflow as tf

from common.files import pixels
from common.types import Array

LARGEST_COUNT = 1e12  # beyond it float32 may overflow inside a network


def checked(
    function: Callable[[dict[str, Array]], typing.Any],
    specs: Mapping[str, tf.TensorSpec],
    is_on_unit_scale: bool,
    multiple: int = 1,
) -> Callable[[dict[str, Array]], typing.Any]:
    """A function of a signature that first checks what it is given.

    A client gets INVALID_ARGUMENT with one of the sentences below.

    Args:
        function: takes a dict of tensors.
        specs: {input: TensorSpec}.
        is_on_unit_scale: whether images are on [0, 1], Denoiser.is_on_unit_scale.
        multiple: what the sides of images must be a multiple of.
    """
    largest = pixels.MAX_FLOAT if is_on_unit_scale else LARGEST_COUNT

    def run(inputs):
        checks = []
        for name, spec in specs.items():
            # A graph takes the shape of a signature for a fact, and drops checks of it; a server
            # does not look at it.
            shapeless = [None] * len(spec.shape)
            value = tf.compat.v1.placeholder_with_default(inputs[name], shapeless)
            if len(spec.shape) == 1:
                checks += _of_list(name, value, inputs.get("noisy", inputs.get("image_bytes")))
            else:
                checks += _of_images(name, value, spec, multiple, largest)
        with tf.control_dependencies(checks):
            return function({name: tf.identity(value) for name, value in inputs.items()})

    return run


def _check(condition, sentence):
    return tf.debugging.Assert(condition, sentence, summarize=5)  # shapes have up to five numbers


def _of_list(name, value, images):
    """Checks of (N,): files, or levels of the noise, one for each image."""
    if value.dtype == tf.string:
        return [_check(tf.size(value) > 0, [f"{name}: an empty list."])]
    count = tf.shape(images)[0]
    good = tf.reduce_all(tf.math.is_finite(value) & (value > 0))
    return [
        _check(
            tf.size(value) == count,
            [f"{name}: one number for each image is expected; images, numbers:", count]
            + [tf.size(value)],
        ),
        _check(good, [f"{name}: expected numbers above 0, not", value]),
    ]


def _of_images(name, value, spec, multiple, largest):
    """Checks of (N, H, W, C) or (N, D, H, W, C)."""
    shape = tf.shape(value)
    channels = spec.shape[-1]
    checks = [
        _check(tf.size(value) > 0, [f"{name}: no pixels; shape", shape]),
        _check(shape[-1] == channels, [f"{name}: expected {channels} channels; shape", shape]),
    ]
    if multiple > 1:
        checks.append(
            _check(
                tf.reduce_all(shape[1:-1] % multiple == 0),
                [f"{name}: this signature needs sides that are multiples of {multiple}; shape"]
                + [shape],
            )
        )
    if value.dtype.is_floating:
        size = tf.reduce_max(tf.abs(value))  # NaN, if there is one, fails below too
        expected = "finite values" if largest == LARGEST_COUNT else "about [0, 1]"
        checks.append(
            _check(
                (size <= largest) & tf.reduce_all(tf.math.is_finite(value)),
                [f"{name}: expected {expected}; the largest absolute value is", size],
            )
        )
    return checks
