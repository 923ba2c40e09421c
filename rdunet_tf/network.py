"""Residual dense U-Net (Gurrola-Ramos, Dalmau, Alarcon 2021)."""

import keras
import numpy as np
from keras import ops

from common.networks import sizes, unet

# Reach of the convolutions at each level, pixels of the level: four dense blocks with four
# convolutions each, and the convolutions between and around them.
RECEPTIVE_RADIUS = sizes.radius([21, 17, 17, 8])


def build_network(channels, *, width=128, seed=0, dtype="float32"):
    """Builds the network: (N, H, W, channels) in [0, 1] to the same.

    H and W are multiples of 8. The outputs are those of the original: tests/golden/rdunet.npz. A
    layer "block_0_0/conv_1" of the original is called "block_0_0_conv_1" here.

    Args:
        channels: channels of the image, 1 or 3.
        width: features of the first level, an even number; each of the three further levels has
            twice as many.
        seed: int, seed of the initial kernels.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
    """
    layers = _Layers(seed, dtype)
    image = keras.Input((None, None, channels), name="image")
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    x = layers.conv(x, width, "input_block_conv_1", "input_block_actv_1")
    x = layers.conv(x, width, "input_block_conv_2", "input_block_actv_2")
    skips = []
    for level in range(3):
        x = _dense_block(layers, x, f"block_{level}_0")
        x = _dense_block(layers, x, f"block_{level}_1")
        skips.append(x)
        x = layers.down(x, f"down_{level}")
    x = _dense_block(layers, x, "block_3_0")
    x = _dense_block(layers, x, "block_3_1")
    for level in (2, 1, 0):
        x = layers.up(x, skips.pop(), f"up_{level}")
        x = _dense_block(layers, x, f"block_{level}_2")
        x = _dense_block(layers, x, f"block_{level}_3")
    x = layers.conv(x, width, "output_block_conv_1", "output_block_actv_1")
    x = layers.last(x, channels, "output_block_conv_2", "output_block_actv_2")
    return keras.Model(image, image + x, name="rdunet")


def start_as_torch(network, seed):
    """Gives the convolutions of a network PyTorch's initial weights, with which it was published.

    Kernels and biases are uniform within 1 / sqrt(fan_in), where PyTorch takes the number of
    outputs for the fan-in of a transposed convolution.

    Args:
        network: of `build_network`; its PReLUs start as PyTorch's anyway.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if not isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            continue
        bound = np.prod(layer.kernel.shape[:-1]) ** -0.5
        for variable in (layer.kernel, layer.bias):
            variable.assign(rng.uniform(-bound, bound, variable.shape).astype(np.float32))


def _dense_block(layers, x, name):
    """Three convolutions, each of the outputs of all before it, and one to the input's width.

    The result is added to the input.
    """
    # The initial values of what is added are small. Otherwise each of the fourteen blocks would
    # double the variance, and the training would start far from the identity. The initial values
    # of the original are not known.
    features = x.shape[-1]
    joined = x
    for i in range(3):
        new = layers.conv(joined, features // 2, f"{name}_conv_{i}", f"{name}_actv_{i}")
        joined = ops.concatenate([joined, new], axis=-1)
    return x + layers.conv(joined, features, f"{name}_conv_3", f"{name}_actv_3", gain=0.1)


class _Layers:
    """Makes the convolutions of one network, each with a PReLU that has a slope per channel."""

    def __init__(self, seed, dtype):
        self._convolutions = unet.Convolutions(seed=seed, dtype=dtype)
        self._seeds = keras.random.SeedGenerator(seed + 1)  # for transposed convolutions
        self._dtype = dtype

    def _prelu(self, x, name, dtype=None):
        return keras.layers.PReLU(
            alpha_initializer=keras.initializers.Constant(0.25),
            shared_axes=(1, 2),
            dtype=dtype or self._dtype,
            name=name,
        )(x)

    def conv(self, x, filters, name, activation, gain=2.0**0.5):
        """A 3x3 convolution and its PReLU."""
        return self._prelu(self._convolutions(x, filters, name, gain=gain), activation)

    def last(self, x, filters, name, activation):
        """The last convolution and its PReLU, in float32."""
        x = self._convolutions(x, filters, name, gain=0.1, dtype="float32")
        return self._prelu(x, activation, "float32")

    def down(self, x, name):
        """Halves the size and doubles the features."""
        features = 2 * x.shape[-1]
        x = self._convolutions(x, features, f"{name}_conv", kernel_size=2, strides=2)
        return self._prelu(x, f"{name}_actv")

    def up(self, x, skip, name):
        """Doubles the size, concatenates (skip, x), and halves the features."""
        features = x.shape[-1]
        x = keras.layers.Conv2DTranspose(
            features,
            2,
            strides=2,
            # He's variance, by the number of inputs of an output. Keras would take the number of
            # outputs for a transposed kernel.
            kernel_initializer=keras.initializers.RandomNormal(
                stddev=(2 / features) ** 0.5, seed=self._seeds
            ),
            dtype=self._dtype,
            name=f"{name}_conv_t",
        )(x)
        x = ops.concatenate([skip, self._prelu(x, f"{name}_actv_t")], axis=-1)
        return self.conv(x, features // 2, f"{name}_conv", f"{name}_actv")
