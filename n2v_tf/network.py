"""The U-Net of juglab's n2v in 2D and 3D (Krull et al. 2019), with the changes of N2V2."""

import keras
from keras import ops

from common.networks import normalization, sizes, unet, upsampling

CONVOLUTIONS = 2  # per level


def build_network(
    channels,
    *,
    spatial=2,
    depth=2,
    width=32,
    kernel_size=5,
    batch_norm=True,
    residual=False,
    blurpool=False,
    skip_skipone=False,
    single_net_per_channel=True,
    seed=0,
    dtype="float32",
):
    """Builds the network: standardised images (N, H, W, C) or (N, D, H, W, C) to the same shape.

    All sides are multiples of 2^depth. Layers have the names of the original, for instance
    "channel_0down_level_0_no_0". A batch normalisation, which has no name there, is called after
    the convolution before it, "..._bn"; the last convolution is "channel_0final". The outputs are
    those of the original: tests/golden/n2v_unet_*.npz.

    Args:
        channels: channels C of the images.
        spatial: number of sides of an image, 2 or 3.
        depth: number of times that the sides are halved.
        width: features of the first level; every further level has twice as many.
        kernel_size: side of all convolution kernels but the last, an odd number.
        batch_norm: whether to normalise after every convolution but the last.
        residual: whether to add the input to the network's output.
        blurpool: whether to blur the maxima before every second one is kept (N2V2, Höck et al.
            2022).
        skip_skipone: whether to leave out the skip connection of the first level (N2V2).
        single_net_per_channel: whether every channel has its own network. Under TensorFlow 2 the
            original feeds the last channel to all of these networks; here each gets its own.
        seed: int, seed of the initial kernels, Glorot-uniform.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
    """
    image = keras.Input((None,) * spatial + (channels,), name="image")
    seeds = keras.random.SeedGenerator(seed)

    def unet(x, name):
        layers = _Layers(name, spatial, kernel_size, batch_norm, seeds, dtype)
        features = _unet(layers, x, depth, width, blurpool, skip_skipone)
        restored = layers.final(features, x.shape[-1])
        return restored + x if residual else restored

    if single_net_per_channel and channels > 1:
        nets = [unet(image[..., c : c + 1], f"channel_{c}") for c in range(channels)]
        restored = ops.concatenate(nets, axis=-1)
    else:
        restored = unet(image, "channel_0")
    return keras.Model(image, restored, name="n2v_unet")


def build_laine(channels, *, seed=0, dtype="float32"):
    """The plain U-Net of Laine et al. 2019, see unet.laine: (N, H, W, channels) to the same.

    Args:
        channels: of the images.
        seed: int, seed of the initial kernels.
        dtype: as for `build_network`.
    """
    layers = unet.Convolutions(seed=seed, dtype=dtype)
    image = keras.Input((None, None, channels), name="image")
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    return keras.Model(image, unet.laine(x, layers, channels), name="n2v_laine")


def receptive_radius(depth, kernel_size, blurpool):
    """How far an output pixel sees at most, along a side, pixels.

    A convolution reaches kernel_size // 2 pixels of its level, and blurred pooling two.
    """
    level = 2 * CONVOLUTIONS * (kernel_size // 2) + (2 if blurpool else 0)  # down and up
    return sizes.radius([level] * depth + [CONVOLUTIONS * (kernel_size // 2)])


def _unet(layers, x, depth, width, blurpool, skip_skipone):
    """Computes the features to which the last, 1x1 convolution is applied."""
    pool = _max_blur_pool if blurpool else _max_pool
    skips = []
    for level in range(depth):
        for i in range(CONVOLUTIONS):
            x = layers.conv(x, width * 2**level, f"down_level_{level}_no_{i}")
        skips.append(x)
        x = pool(x)
    x = layers.conv(x, width * 2**depth, "middle_0")
    x = layers.conv(x, width * 2 ** (depth - 1), f"middle_{CONVOLUTIONS}")
    for level in reversed(range(depth)):
        skip = skips[level] if level > 0 or not skip_skipone else None
        # The original has `width` here by mistake; it is kept so that its weights fit. N2V2 has
        # width * 2^level.
        first = width * 2**level if skip_skipone else width
        x = layers.join(x, skip, first, f"up_level_{level}_no_0")
        x = layers.conv(x, width * 2 ** max(0, level - 1), f"up_level_{level}_no_{CONVOLUTIONS}")
    return x


class _Layers:
    """Makes the layers of one U-Net; their names begin with `prefix`."""

    def __init__(self, prefix, spatial, kernel_size, batch_norm, seeds, dtype):
        self._prefix, self._kernel_size, self._dtype = prefix, kernel_size, dtype
        self._spatial = spatial
        self._batch_norm, self._seeds = batch_norm, seeds
        self._class = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}[spatial]

    def _settings(self, name):
        return {
            "kernel_initializer": keras.initializers.GlorotUniform(self._seeds),
            "dtype": self._dtype,
            "name": self._prefix + name,
        }

    def conv(self, x, filters, name):
        """Convolution (with a bias, also before a normalisation), normalisation, ReLU."""
        layer = self._class(filters, self._kernel_size, padding="same", **self._settings(name))
        return self._activate(layer(x), name)

    def join(self, x, skip, filters, name):
        """The same of x, enlarged by repetition, and the skip, unless that is None."""
        layer = upsampling.convolution(
            self._spatial, filters, self._kernel_size, **self._settings(name)
        )
        return self._activate(layer(x) if skip is None else layer(x, skip), name)

    def _activate(self, x, name):
        if self._batch_norm:
            layers = keras.layers if upsampling.is_portable() else normalization
            x = layers.BatchNormalization(
                epsilon=1e-3, dtype=self._dtype, name=f"{self._prefix}{name}_bn"
            )(x)
        return ops.relu(x)

    def final(self, x, channels):
        """The last convolution, 1x1, in float32: bfloat16 would leave visible steps."""
        settings = self._settings("final") | {"dtype": "float32"}
        return self._class(channels, 1, padding="same", **settings)(x)


def _max_pool(x):
    return ops.max_pool(x, 2, 2)


def _max_blur_pool(x):
    """Takes the maximum of 2 pixels a side, blurs it by 1-2-1, and keeps every second pixel.

    As in the original, on even sides: padding is only at the right and the bottom, and the blur
    pads with zeros.
    """
    x = ops.max_pool(x, 2, 1, padding="same")
    for axis in range(1, x.ndim - 1):
        even, odd = (x[(slice(None),) * axis + (slice(i, None, 2),)] for i in (0, 1))
        after = ops.pad(
            even[(slice(None),) * axis + (slice(1, None),)],
            [(0, 1 if i == axis else 0) for i in range(x.ndim)],
        )
        x = (even + 2 * odd + after) / 4
    return x
