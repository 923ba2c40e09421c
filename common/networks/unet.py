"""The U-Net of Lehtinen et al. 2018; its convolution and pooling are passed in."""

import keras
from keras import ops

from common.networks.sizes import missing

MULTIPLE = 2**5  # five poolings


class Convolutions:
    """Makes the convolutions of one network by name; a name asked for again is the same layer.

    So a trunk can be laid over two inputs with one set of weights, and all layers stay in one flat
    model in which the original's weights map by name.
    """

    def __init__(self, *, seed, dtype="float32"):
        """seed: int, of all kernels of the network. dtype: a Keras dtype policy name."""
        self._seeds = keras.random.SeedGenerator(seed)
        self._dtype = dtype
        self._layers = {}

    def __call__(
        self, x, filters, name, *, kernel_size=3, strides=1, padding="same", gain=2.0**0.5
    ):
        """Convolution with bias.

        Args:
            x: (N, H, W, C).
            filters: output features.
            name: layer name, the original's.
            kernel_size, strides: one number each, for both sides.
            padding: "same" or "valid".
            gain: kernels are normal with deviation gain / sqrt(fan_in); 0 makes them zero.
        """
        if name not in self._layers:
            self._layers[name] = keras.layers.Conv2D(
                filters,
                kernel_size,
                strides=strides,
                padding=padding,
                # Not "he_normal": that one cuts the normal distribution off.
                kernel_initializer=keras.initializers.VarianceScaling(
                    gain**2, "fan_in", "untruncated_normal", seed=self._seeds
                )
                if gain
                else "zeros",
                dtype=self._dtype,
                name=name,
            )
        return self._layers[name](x)


def leaky_relu(x):
    """Slope 0.1, the originals'; Keras' own default is 0.3."""
    return ops.leaky_relu(x, 0.1)


def pool(x):
    """Halves height and width by the maximum of 2x2."""
    return ops.max_pool(x, 2, 2)


def upsample_and_join(x, skip):
    """Doubles height and width by repetition; concatenates (upsampled, skip), in this order."""
    x = ops.repeat(ops.repeat(x, 2, axis=1), 2, axis=2)
    return ops.concatenate([x, skip], axis=-1)


def trunk(image, conv, pool, suffixes):
    """U-Net from the image to the input of the last decoder stage (Lehtinen et al. 2018, appendix).

    Args:
        image: (N, H, W, C), H and W multiples of 32.
        conv: `conv(x, filters, name)`, keeps H and W. SSDN passes one that looks only upwards.
        pool: `pool(x)`, halves H and W.
        suffixes: endings of the names of a stage's two convolutions: ("", "b") or ("a", "b").
            Layer names are the original's, so weights map by name.

    Returns:
        (N, H, W, 96 + C): decoded features, then the image.
    """
    skips = [image]
    x = conv(image, 48, "enc_conv0")
    for level in (1, 2, 3, 4):
        x = pool(conv(x, 48, f"enc_conv{level}"))
        skips.append(x)
    x = pool(conv(x, 48, "enc_conv5"))
    x = conv(x, 48, "enc_conv6")
    for level in (5, 4, 3, 2):
        x = upsample_and_join(x, skips.pop())
        for suffix in suffixes:
            x = conv(x, 96, f"dec_conv{level}{suffix}")
    return upsample_and_join(x, skips.pop())


def run_padded(network, images, *, padding, multiple=MULTIPLE, centred=False, training=False):
    """Runs a network on images of any size: pads them, crops the output.

    Args:
        network: Keras model whose sides must be multiples of `multiple`.
        images: (N, H, W, C) or (N, D, H, W, C), any sides from 1 up.
        padding: "reflect" or a value, see `pad_to_multiple`.
        multiple: 1 for images that fit as they are.
        centred: pads on both sides, not right and bottom alone.
    """
    if multiple == 1:
        return network(images, training=training)
    output = network(pad_to_multiple(images, padding, multiple, centred), training=training)
    sides = ops.shape(images)[1:-1]
    starts = [missing(side, multiple) // 2 if centred else 0 for side in sides]
    parts = (slice(start, start + side) for start, side in zip(starts, sides))
    return output[(slice(None), *parts)]


def pad_to_multiple(images, padding, multiple=MULTIPLE, centred=False):
    """Extends images up to sides that a U-Net can halve.

    By gathering rows and columns, not by a padding operation: those refuse to reflect more than the
    image, and this serves 1x1 pixels as well as sizes unknown until the graph runs.

    Args:
        images: (N, H, W, C) or (N, D, H, W, C).
        padding: "reflect", or the value to pad with. Blind-spot networks want 0: in its mirror
            image a pixel near the edge would see its own value, and not be blind to it.
        multiple: the sides become multiples of it.
        centred: half of what is missing, rounded down, comes before, the rest after; else all of it
            to the right and the bottom.

    Returns:
        (N, H', W', C) or (N, D', H', W', C), unchanged where the sides fit already.
    """
    rank = len(images.shape)
    for axis in range(1, rank - 1):
        size = images.shape[axis]
        if size is not None and size % multiple == 0:
            continue
        size = ops.shape(images)[axis]
        lacking = missing(size, multiple)
        position = ops.arange(size + lacking, dtype="int32") - (lacking // 2 if centred else 0)
        # Its mirror image first: the remainder of a negative number is not the same everywhere.
        index = ops.abs(position) % ops.maximum(2 * (size - 1), 1)
        index = ops.where(index < size, index, 2 * (size - 1) - index)
        images = ops.take(images, index, axis=axis)
        if padding != "reflect":
            shape = [-1 if i == axis else 1 for i in range(rank)]
            inside = ops.reshape((position >= 0) & (position < size), shape)
            images = ops.where(inside, images, ops.cast(padding, images.dtype))
    return images
