"""The U-Net of Lehtinen et al. 2018; the caller passes its convolution and its pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from common.networks import upsampling
from common.networks.sizes import missing, radius
from common.types import Array

MULTIPLE = 2**5  # five poolings


class Convolutions:
    """The convolutions of one network, by name; equal names mean the same layer.

    A trunk can therefore be applied to two inputs with one set of weights. All layers lie in one
    flat model, so that the original's weights map by name.

    Args:
        seed: of the initial kernels.
        dtype: name of a Keras dtype policy.
        suffix: ending of the layers' names.
        use_bias: whether the convolutions add a bias.
    """

    def __init__(
        self, *, seed: int, dtype: str = "float32", suffix: str = "", use_bias: bool = True
    ) -> None:
        self._suffix, self._use_bias = suffix, use_bias
        self._seeds = keras.random.SeedGenerator(seed)
        self._dtype = dtype
        self._layers: dict[str, Any] = {}

    def __call__(
        self,
        x: Array,
        filters: int,
        name: str,
        *,
        kernel_size: int = 3,
        strides: int = 1,
        dilation: int = 1,
        padding: str = "same",
        gain: float = 2.0**0.5,
        dtype: str | None = None,
    ) -> Array:
        """Convolve with a kernel and a bias.

        Args:
            x: (N, H, W, C).
            filters: number of output features.
            name: of the layer, as in the original.
            kernel_size, strides, dilation: one number each, for both sides.
            padding: "same" or "valid".
            gain: initial kernels are normal with deviation gain / sqrt(fan_in); 0 makes them zero.
            dtype: of this layer, if not that of the network. The last layer is float32: rounded to
                the 8 bits of bfloat16, a restored image would have visible steps.
        """
        if name not in self._layers:
            self._layers[name] = keras.layers.Conv2D(
                filters,
                kernel_size,
                strides=strides,
                dilation_rate=dilation,
                padding=padding,
                use_bias=self._use_bias,
                **self.settings(name, gain, dtype),
            )
        return self._layers[name](x)

    def join(
        self,
        x: Array,
        skip: Array,
        filters: int,
        name: str,
        *,
        pads: upsampling.Padding | None = None,
    ) -> Array:
        """Enlarge x twice by repetition, concatenate (enlarged, skip), and convolve by 3x3.

        Args:
            x: (N, H, W, C).
            skip: (N, 2H, 2W, S).
            filters: number of output features.
            name: of the layer, as in the original.
            pads: zeros (before, after) the rows and the columns, if not one each.
        """
        if name not in self._layers:
            settings = self.settings(name, gain=2.0**0.5)
            self._layers[name] = upsampling.convolution(2, filters, 3, pads=pads, **settings)
        return self._layers[name](x, skip)

    def settings(self, name: str, gain: float, dtype: str | None = None) -> dict[str, Any]:
        """Initial kernel, arithmetic and name of a layer; see `__call__`."""
        kernel = "zeros"
        if gain:  # not "he_normal": that one truncates the normal distribution
            kernel = keras.initializers.VarianceScaling(
                gain**2, "fan_in", "untruncated_normal", seed=self._seeds
            )
        return {
            "kernel_initializer": kernel,
            "dtype": dtype or self._dtype,
            "name": name + self._suffix,
        }


def leaky_relu(x: Array) -> Array:
    """Leaky ReLU with the originals' slope of 0.1; Keras' own default is 0.3."""
    return ops.leaky_relu(x, 0.1)


def pool(x: Array) -> Array:
    """Halve height and width by the maximum of 2x2 pixels."""
    return ops.max_pool(x, 2, 2)


def trunk(
    image: Array,
    conv: Callable[[Array, int, str], Array],
    join: Callable[[Array, Array, int, str], Array],
    pool: Callable[[Array], Array],
    suffixes: Sequence[str],
) -> Array:
    """U-Net from the image to the last decoder stage but one (Lehtinen et al. 2018, appendix).

    Args:
        image: (N, H, W, C), H and W multiples of 32.
        conv: conv(x, filters, name) keeps H and W. SSDN passes one that looks only upwards.
        join: join(x, skip, filters, name) doubles H and W of x, concatenates it with skip, and
            convolves both as conv does.
        pool: pool(x) halves H and W.
        suffixes: endings of the names of a stage's two convolutions: ("", "b") or ("a", "b").
            Layer names are the original's, so weights map by name.

    Returns:
        (N, H / 2, W / 2, 96): decoded features; the caller joins them with the image.
    """
    skips = []
    x = conv(image, 48, "enc_conv0")
    for level in (1, 2, 3, 4):
        x = pool(conv(x, 48, f"enc_conv{level}"))
        skips.append(x)
    x = pool(conv(x, 48, "enc_conv5"))
    x = conv(x, 48, "enc_conv6")
    for level in (5, 4, 3, 2):
        x = join(x, skips.pop(), 96, f"dec_conv{level}{suffixes[0]}")
        x = conv(x, 96, f"dec_conv{level}{suffixes[1]}")
    return x


def laine(image: Array, layers: Convolutions, outputs: int, gain: float = 1.0) -> Array:
    """The plain U-Net of Laine et al. 2019: (N, H, W, C) to (N, H, W, outputs).

    H and W are multiples of 32. Layer names and outputs are the original's, see
    tests/golden/ssdn_backbone_plain_*.npz.

    Args:
        image: of any number of channels.
        layers: makes the convolutions.
        outputs: features of the last layer.
        gain: of its initial kernel, see Convolutions.
    """

    def conv(x, filters, name):
        return leaky_relu(layers(x, filters, name))

    def join(x, skip, filters, name):
        return leaky_relu(layers.join(x, skip, filters, name))

    x = trunk(image, conv, join, pool, suffixes=("a", "b"))
    x = conv(join(x, image, 96, "dec_conv1a"), 96, "dec_conv1b")
    return mixed(x, layers, outputs, gain)


def laine_radius() -> int:
    """How far an output pixel of `laine` sees, pixels."""
    return radius([4, 3, 3, 3, 3, 1])


def mixed(
    x: Array, layers: Callable[..., Array], outputs: int | None = None, gain: float = 1.0
) -> Array:
    """Apply the last layers of Laine et al. 2019, of 1x1 kernels: (N, H, W, outputs)."""
    x = leaky_relu(layers(x, x.shape[-1], "nin_a", kernel_size=1))
    x = leaky_relu(layers(x, 96, "nin_b", kernel_size=1))
    return layers(x, outputs, "nin_c", kernel_size=1, gain=gain, dtype="float32")


def run_padded(
    network: Callable[..., Array],
    images: Array,
    *,
    padding: str | float,
    multiple: int = MULTIPLE,
    centred: bool = False,
    training: bool = False,
) -> Array:
    """Run a network on images of any size: pad them, and crop the output.

    Args:
        network: Keras model for images whose sides are multiples of `multiple`.
        images: (N, H, W, C) or (N, D, H, W, C), any sides from 1 up.
        padding: "reflect" or a value, see `pad_to_multiple`.
        multiple: 1 for images that need no padding.
        centred: pad on all sides, not only on the right and at the bottom.
        training: passed to the network.

    Returns:
        Output of the network with the sides of `images`.
    """
    if multiple == 1:
        return network(images, training=training)
    output = network(pad_to_multiple(images, padding, multiple, centred), training=training)
    sides = ops.shape(images)[1:-1]
    starts = [missing(side, multiple) // 2 if centred else 0 for side in sides]
    index = [slice(None), *(slice(start, start + n) for start, n in zip(starts, sides))]
    return output[tuple(index)]


def pad_to_multiple(
    images: Array, padding: str | float, multiple: int = MULTIPLE, centred: bool = False
) -> Array:
    """Pad images until a U-Net can halve their sides.

    Rows and columns are gathered by their index. A padding operation would not reflect more pixels
    than the image has; gathering works for 1x1 pixels and for sizes unknown until the graph runs.

    Args:
        images: (N, H, W, C) or (N, D, H, W, C).
        padding: "reflect", or the value to pad with. Blind-spot networks need a value: a pixel near
            the edge would see its own value in the reflection.
        multiple: the sides become multiples of it.
        centred: pad one half, rounded down, before the image and the rest after it; else pad on the
            right and at the bottom alone.

    Returns:
        (N, H', W', C) or (N, D', H', W', C); sides that are multiples already stay.
    """
    rank = len(images.shape)
    for axis in range(1, rank - 1):
        size = images.shape[axis]
        if size is not None and size % multiple == 0:
            continue
        size = ops.shape(images)[axis]
        lacking = missing(size, multiple)
        position = ops.arange(size + lacking, dtype="int32") - (lacking // 2 if centred else 0)
        # Reflect first: backends differ in the remainder of negative numbers.
        index = ops.abs(position) % ops.maximum(2 * (size - 1), 1)
        index = ops.where(index < size, index, 2 * (size - 1) - index)
        images = ops.take(images, index, axis=axis)
        if padding != "reflect":
            shape = [-1 if i == axis else 1 for i in range(rank)]
            inside = ops.reshape((position >= 0) & (position < size), shape)
            images = ops.where(inside, images, ops.cast(padding, images.dtype))
    return images
