"""The Noise2Noise U-Net (Lehtinen et al. 2018, appendix), and four small networks."""

import keras
from keras import ops

from common.networks import sizes, unet
from common.networks.upsampling import convolution as upsampled_convolution


def build_network(channels, *, seed=0, dtype="float32", last_gain=1.0):
    """Builds the U-Net: (N, H, W, channels) in [-0.5, 0.5] to the same.

    H and W are multiples of 32. The outputs are those of the original: tests/golden/n2n_unet.npz.

    Args:
        channels: channels of the image, 1 or 3.
        seed: int, seed of the initial kernels.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
        last_gain: factor of the last kernel's initial values; 0 makes the untrained network
            return 0.
    """
    layers = unet.Convolutions(seed=seed, dtype=dtype)

    def conv(x, filters, name):
        return unet.leaky_relu(layers(x, filters, name))

    def join(x, skip, filters, name):
        return unet.leaky_relu(layers.join(x, skip, filters, name))

    image = keras.Input((None, None, channels), name="image")
    # The image is concatenated with features; in float32 it would turn them all into float32.
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    coarse = unet.trunk(x, conv, join, unet.pool, suffixes=("", "b"))
    x = conv(join(coarse, x, 64, "dec_conv1a"), 32, "dec_conv1b")
    x = layers(x, channels, "dec_conv1", gain=last_gain, dtype="float32")
    return keras.Model(image, x, name="n2n_unet")


def receptive_radius(name):
    """How far an output pixel sees, pixels.

    name: one of configs.NETWORKS, for instance "unet" or "nn_relu".
    """
    if name == "unet":
        return sizes.radius([5, 3, 3, 3, 3, 1])
    return sizes.radius([1, 1, 0] if name.startswith("nn") else [0, 0, 0])


def build_sequential(channels, *, upsampling, final, seed=0, dtype="float32"):
    """Builds a small network: two convolutions down, two up.

    It maps (N, H, W, channels) in [0, 1] to the same; H and W are multiples of 4.

    Args:
        channels: channels of the image, 1 or 3.
        upsampling: "nn" (nearest neighbours, then a 3x3 convolution) or "convtrans" (transposed
            2x2 convolution).
        final: last activation, "relu" or "sigmoid".
        seed: int, seed of the initial kernels, uniform within 1 / sqrt(fan_in).
        dtype: see `build_network`.

    Reference: an EE-559 report on Noise2Noise, 2022, table 1.
    """
    seeds = keras.random.SeedGenerator(seed)

    def settings(name):
        # Variance 1 / (3 fan_in) is PyTorch's default; the report names no other.
        kernel = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=seeds)
        return {"kernel_initializer": kernel, "dtype": dtype, "name": name}

    def down(x, filters, name):
        return ops.relu(keras.layers.Conv2D(filters, 2, strides=2, **settings(name))(x))

    def up(x, filters, name, **other):
        given = settings(name) | other
        if upsampling == "convtrans":
            return keras.layers.Conv2DTranspose(filters, 2, strides=2, **given)(x)
        return upsampled_convolution(2, filters, 3, **given)(x)

    image = keras.Input((None, None, channels), name="image")
    x = down(down(image, 48, "conv1"), 96, "conv2")
    x = up(ops.relu(up(x, 48, "upsampling3")), channels, "upsampling4", dtype="float32")
    x = {"relu": ops.relu, "sigmoid": ops.sigmoid}[final](x)
    return keras.Model(image, x, name=f"{upsampling}_{final}")
