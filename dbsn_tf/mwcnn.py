"""MWCNN, a denoiser over wavelet levels, to learn from a D-BSN (Wu et al. 2020, section 3.4)."""

import keras
import numpy as np
from keras import ops

from common.networks import sizes, unet, upsampling

LEVELS = (160, 256, 256)  # features; each level halves the sides
CONVOLUTIONS = 4  # of a level, on the way down and on the way up
MULTIPLE = 2 ** len(LEVELS)

# What the bands LL, LH, HL and HH take of the pixels of a square: (band, row, column).
_BANDS = 0.5 * np.array(
    [[[1, 1], [1, 1]], [[1, 1], [-1, -1]], [[1, -1], [1, -1]], [[1, -1], [-1, 1]]], np.float32
)


def build_network(channels, *, levels=LEVELS, seed=0, dtype="float32"):
    """Builds the network: (N, H, W, channels) in [0, 1] to the same.

    H and W are multiples of 8. Every level takes the Haar transform of the one above; on the way up
    its inverse is added to what came down, and at the top to the image. The outputs are those of
    the original: tests/golden/dbsn_gray.npz, mwcnn. Under upsampling.portable() the transforms are
    layers of Keras with weights of their own; `copy_weights` leaves them out.

    Args:
        channels: channels of the image, 1 or 3.
        levels: features of the levels, the finest first.
        seed: int, seed of the initial kernels.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
    """
    convolve = unet.Convolutions(seed=seed, dtype=dtype)
    image = keras.Input((None, None, channels), name="image")
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    skips = []
    plain = upsampling.is_portable()
    for number, features in enumerate(levels, start=1):
        skips.append(x)
        x = _plain_haar(x, f"level{number}_haar") if plain else haar(x)
        for i in range(CONVOLUTIONS):
            x = ops.relu(convolve(x, features, f"level{number}_prev_block_{2 * i}"))
    for number in range(len(levels), 0, -1):
        skip = skips.pop()
        for i in range(CONVOLUTIONS):
            is_last = i == CONVOLUTIONS - 1
            features = 4 * skip.shape[-1] if is_last else levels[number - 1]
            # At the top in float32, or the restored image would have the steps of bfloat16; and
            # small at first, so that the training starts near the identity.
            settings = {"dtype": "float32", "gain": 0.1} if is_last and number == 1 else {}
            x = convolve(x, features, f"level{number}_next_block_{2 * i}", **settings)
            x = x if is_last and number == 1 else ops.relu(x)
        x = _plain_inverse(x, f"level{number}_inverse") if plain else inverse_haar(x)
        x = x + (image if number == 1 else skip)
    return keras.Model(image, x, name="mwcnn")


def copy_weights(network, copy):
    """Gives a copy of a network its weights, whichever transforms either of them has."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            copy.get_layer(layer.name).set_weights(layer.get_weights())


def receptive_radius():
    """How far an output pixel sees, pixels."""
    # Four convolutions on the way down and four on the way up at each level but the deepest, which
    # has its eight together; no convolution at full size.
    return sizes.radius([0, 2 * CONVOLUTIONS, 2 * CONVOLUTIONS, 2 * CONVOLUTIONS])


def haar(x):
    """The orthonormal Haar transform: (N, H, W, C) to (N, H / 2, W / 2, 4 C).

    The bands LL, LH, HL and HH of the first channel come first, then those of the second.

    Reference: tests/golden/dbsn_gray.npz, mwcnn/dwt_two_channels.
    """
    return _Haar()(x)


def inverse_haar(x):
    """Inverts `haar`: (N, H, W, 4 C) to (N, 2 H, 2 W, C)."""
    return _InverseHaar()(x)


class _Haar(keras.Operation):
    """`haar`; an operation, for a reshape forgets in a graph how many channels there are."""

    def call(self, x):
        """(N, H, W, C) -> (N, H / 2, W / 2, 4 C)."""
        n, height, width = (ops.shape(x)[axis] for axis in range(3))
        height, width, channels = height // 2, width // 2, x.shape[-1]
        # Not x[:, 0::2]: the gradient of such a slice takes long on CPUs.
        top, bottom = ops.unstack(ops.reshape(x, (n, height, 2, 2 * width, channels)), axis=2)
        a, b = ops.unstack(ops.reshape(top, (n, height, width, 2, channels)), axis=3)
        c, d = ops.unstack(ops.reshape(bottom, (n, height, width, 2, channels)), axis=3)
        bands = (a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d)
        return ops.reshape(ops.stack(bands, axis=-1) * 0.5, (n, height, width, 4 * channels))

    def compute_output_spec(self, x):
        """Shape and type of the result."""
        n, height, width, channels = x.shape
        return keras.KerasTensor(
            (n, _times(height, 0.5), _times(width, 0.5), 4 * channels), x.dtype
        )


class _InverseHaar(keras.Operation):
    """`inverse_haar`, see `_Haar`."""

    def call(self, x):
        """(N, H, W, 4 C) -> (N, 2 H, 2 W, C)."""
        channels = x.shape[-1] // 4
        n, height, width = (ops.shape(x)[axis] for axis in range(3))
        bands = ops.reshape(x, (n, height, width, channels, 4)) * 0.5
        ll, lh, hl, hh = ops.unstack(bands, axis=-1)
        top = ops.stack([ll + lh + hl + hh, ll + lh - hl - hh], axis=3)
        bottom = ops.stack([ll - lh + hl - hh, ll - lh - hl + hh], axis=3)
        rows = ops.stack([top, bottom], axis=2)  # (N, H, 2, W, 2, C)
        return ops.reshape(rows, (n, 2 * height, 2 * width, channels))

    def compute_output_spec(self, x):
        """Shape and type of the result."""
        n, height, width, channels = x.shape
        return keras.KerasTensor((n, _times(height, 2), _times(width, 2), channels // 4), x.dtype)


def _plain_haar(x, name):
    """`haar` as a layer of Keras' own."""
    layer = keras.layers.DepthwiseConv2D(2, 2, depth_multiplier=4, use_bias=False, name=name)
    result = layer(x)
    layer.kernel.assign(np.repeat(np.moveaxis(_BANDS, 0, -1)[:, :, None], x.shape[-1], axis=2))
    return result


def _plain_inverse(x, name):
    """`inverse_haar` as a layer of Keras' own: the transpose of the transform is its inverse."""
    channels = x.shape[-1] // 4
    layer = keras.layers.Conv2DTranspose(channels, 2, 2, use_bias=False, name=name)
    result = layer(x)
    own = np.eye(channels, dtype=np.float32)[:, :, None]
    kernel = np.einsum("mij,ckx->ijckm", _BANDS, own).reshape(2, 2, channels, 4 * channels)
    layer.kernel.assign(kernel)
    return result


def _times(side, factor):
    """A side times a factor; None stays None."""
    return None if side is None else int(side * factor)
