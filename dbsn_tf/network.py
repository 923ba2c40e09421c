"""The dilated blind-spot network and the networks of variances (Wu et al. 2020, section 3)."""

import keras
import numpy as np
from keras import ops

from common.networks import unet

BLIND_SPOTS = (3, 5)  # side of the masked kernel of each branch


def build_backbone(
    channels, *, width=96, blocks=8, blind="mask", has_bias=True, seed=0, dtype="float32"
):
    """Builds the blind-spot network: (N, H, W, channels) to [mu, features].

    H and W are any numbers. A pixel of mu (N, H, W, channels), the predicted mean of the clean
    image, depends on input pixels around it and not at all on that at its own place: a branch
    starts with a convolution of side k whose centre is masked, and its further kernels are dilated
    by (k + 1) / 2, so that their steps never lead back. The features (N, H, W, width) are what the
    network of the mean's variance sees.

    The outputs are those of the original: tests/golden/dbsn_gray.npz and dbsn_color.npz. A layer
    "br1/branch/0" of the original is called "br1_branch_0" here.

    Args:
        channels: channels of the image, 1 or 3.
        width: features of every layer.
        blocks: of each branch.
        blind: "mask" sets the centre of the first kernels to zero; "trimmed" also makes up for taps
            that are outside of the image, as the original's convolution of that name.
        has_bias: whether the convolutions have a bias; the original offers both.
        seed: int, seed of the initial kernels.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
    """
    layers = _Layers(width, blind, has_bias, seed, dtype)
    image = keras.Input((None, None, channels), name="image")
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    x = layers.conv(x, "dbsn_head_0")
    branches = [
        _branch(layers, x, f"br{number}_branch", side, blocks)
        for number, side in enumerate(BLIND_SPOTS, start=1)
    ]
    features = layers.linear(ops.concatenate(branches, axis=-1), "concat")
    x = layers.conv(features, "dbsn_tail_0")
    x = layers.conv(x, "dbsn_tail_2")
    mu = layers.linear(x, "dbsn_tail_4", channels, dtype="float32")
    return keras.Model(image, [mu, ops.cast(features, "float32")], name="dbsn_backbone")


def build_variance_network(
    inputs, outputs, *, depth, width, zero_last=False, offset=0.0, last="", seed=0
):
    """Builds a stack of 1x1 convolutions: (N, H, W, inputs) to (N, H, W, outputs).

    Each pixel of the result depends on the input at its own place alone, so that the variance of
    the noise is a function of the pixel's value.

    Args:
        inputs, outputs: numbers of channels.
        depth: number of convolutions; all but the last are followed by a ReLU.
        width: features in between.
        zero_last: whether the last kernel starts at zero.
        offset: is added to the output.
        last: name of the last layer, if it is not numbered like the others.
        seed: int, seed of the initial kernels.
    """
    convolve = unet.Convolutions(seed=seed)
    x = given = keras.Input((None, None, inputs), name="given")
    for number in range(depth):
        is_last = number == depth - 1
        gain = (0.0 if zero_last else 1.0) if is_last else 2.0**0.5
        filters = outputs if is_last else width
        name = (is_last and last) or f"conv_{2 * number}"
        x = convolve(x, filters, name, kernel_size=1, gain=gain)
        x = x if is_last else ops.relu(x)
    return keras.Model(given, x + offset)


class MaskedConv2D(keras.layers.Conv2D):
    """A convolution that does not see the pixel at its own place.

    The centre of the kernel counts as zero whatever its stored value is; it starts at zero, and
    stays zero in training.

    Args:
        filters, kernel_size: of the convolution; the side is odd.
        trimmed: whether to make up for taps that lie outside of the image: sums are multiplied by
            the number of taps, the centre included, over that of the taps within the image.
        settings: of keras.layers.Conv2D.

    Reference: tests/golden/dbsn_gray.npz, backbone_mask and backbone_trimmed.
    """

    def __init__(self, filters, kernel_size, trimmed=False, **settings):
        settings = {"padding": "same"} | settings
        super().__init__(filters, kernel_size, **settings)
        self.trimmed = trimmed

    def build(self, input_shape):
        """Makes the weights, with a mask for the centre."""
        super().build(input_shape)
        height, width = self.kernel_size
        mask = np.ones((height, width, 1, 1), np.float32)
        mask[height // 2, width // 2] = 0.0
        self._mask = mask
        self.kernel.assign(self.kernel * mask)

    def call(self, inputs):
        """Convolves (N, H, W, C) with the masked kernel."""
        kernel = ops.cast(self.masked_kernel(), inputs.dtype)
        x = ops.conv(inputs, kernel, strides=1, padding="same")
        if self.trimmed:
            x = x * self._shares(inputs)
        return x + ops.cast(self.bias, x.dtype) if self.use_bias else x

    def masked_kernel(self):
        """The kernel with its centre at zero."""
        return self.kernel * self._mask

    def _shares(self, inputs):
        """(1, H, W, 1): all taps over those that lie within the image."""
        inside = ops.ones_like(inputs[:1, :, :, :1])
        taps = ops.conv(inside, ops.cast(self._mask, inputs.dtype), strides=1, padding="same")
        return float(np.prod(self.kernel_size)) / ops.maximum(taps, 1.0)

    def get_config(self):
        """What makes the same layer again."""
        return super().get_config() | {"trimmed": self.trimmed}


def with_plain_layers(backbone):
    """A copy of a backbone of Keras' own layers alone, for files that load anywhere.

    backbone: of `build_backbone` with blind="mask"; the centres of its masked kernels become zeros.

    Raises:
        ValueError: blind="trimmed", which no layer of Keras computes.
    """

    def copied(layer):
        if not isinstance(layer, MaskedConv2D):
            return layer.__class__.from_config(layer.get_config())
        if layer.trimmed:
            raise ValueError(
                "blind='trimmed': no layer of Keras computes it; --format=saved_model or onnx does."
            )
        config = layer.get_config()
        del config["trimmed"]
        return keras.layers.Conv2D.from_config(config)

    copy = keras.models.clone_model(backbone, clone_function=copied)
    copy.set_weights(backbone.get_weights())
    for layer in backbone.layers:
        if isinstance(layer, MaskedConv2D):
            copy.get_layer(layer.name).kernel.assign(layer.masked_kernel())
    return copy


def receptive_radius(blocks=8):
    """Distance to the farthest input pixel that an output pixel depends on, pixels."""
    return max(side // 2 + blocks * 2 * _dilation(side) for side in BLIND_SPOTS)


def _dilation(side):
    """Dilation of the kernels behind a masked one of this side."""
    return (side + 1) // 2


def _branch(layers, x, name, side, blocks):
    """A branch: masked convolution, two 1x1 ones, blocks, and a linear 1x1 one."""
    x = layers.blind_conv(x, f"{name}_0", side)
    x = layers.conv(x, f"{name}_2")
    x = layers.conv(x, f"{name}_4")
    for block in range(blocks):
        x = _block(layers, x, f"{name}_{6 + block}", _dilation(side))
    return layers.linear(x, f"{name}_{6 + blocks}")


def _block(layers, x, name, dilation):
    """Three paths, joined and added to the input, and two 1x1 convolutions."""
    wide = layers.conv(x, f"{name}_inception_br1_0")
    wide = layers.conv(wide, f"{name}_inception_br1_2", side=5, dilation=dilation)
    narrow = layers.conv(x, f"{name}_inception_br2_0")
    narrow = layers.conv(narrow, f"{name}_inception_br2_2", side=3, dilation=dilation)
    straight = layers.conv(x, f"{name}_inception_br3_0")
    joined = ops.concatenate([wide, narrow, straight], axis=-1)
    # Small at first: otherwise each of the sixteen blocks would double the variance, and the
    # training would start with values of a thousand.
    x = x + layers.conv(joined, f"{name}_concat", gain=0.1)
    x = layers.conv(x, f"{name}_middle_1x1_convs_0")
    return layers.conv(x, f"{name}_middle_1x1_convs_2")


class _Layers:
    """Makes the convolutions of a network, each with its name in the original."""

    def __init__(self, width, blind, has_bias, seed, dtype):
        self._width, self._is_trimmed, self._has_bias = width, blind == "trimmed", has_bias
        self._convolve = unet.Convolutions(seed=seed, dtype=dtype, use_bias=has_bias)

    def conv(self, x, name, side=1, dilation=1, gain=2.0**0.5):
        """A convolution and its ReLU."""
        settings = {"kernel_size": side, "dilation": dilation, "gain": gain}
        return ops.relu(self._convolve(x, self._width, name, **settings))

    def linear(self, x, name, filters=None, dtype=None):
        """A 1x1 convolution alone; the last one of a network is in float32."""
        filters = filters or self._width
        return self._convolve(x, filters, name, kernel_size=1, gain=1.0, dtype=dtype)

    def blind_conv(self, x, name, side):
        """The masked convolution and its ReLU."""
        settings = self._convolve.settings(name, gain=2.0**0.5)
        layer = MaskedConv2D(
            self._width, side, trimmed=self._is_trimmed, use_bias=self._has_bias, **settings
        )
        return ops.relu(layer(x))
