"""The blind-spot network and the plain U-Net (Laine et al. 2019, section 2 and appendix)."""

import keras
import numpy as np
from keras import ops

from common.networks import sizes, unet, upsampling


def build_network(channels, *, outputs, blindspot=True, zero_last=False, seed=0, dtype="float32"):
    """Builds the network: (N, H, W, channels) in [0, 1] to (N, H, W, outputs).

    H and W are multiples of 32 and may differ. In the blind-spot network an output pixel depends on
    all input pixels around it, and not at all on the input pixel at its own place. The outputs are
    those of the original: tests/golden/ssdn_backbone_blindspot_*.npz.

    Args:
        channels: channels of the image, 1 or 3.
        outputs: values per output pixel: the means, then the components of the covariance's root.
        blindspot: whether to build the blind-spot network; otherwise the U-Net of the baselines.
        zero_last: whether the last layer starts at zero, as in the original's noise estimator.
        seed: int, seed of the initial kernels.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
    """
    layers = unet.Convolutions(seed=seed, dtype=dtype)
    image = keras.Input((None, None, channels), name="image")
    # The image is concatenated with features; in float32 it would turn them all into float32.
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    gain = 0.0 if zero_last else 1.0
    if blindspot:
        # Two batches: after a quarter turn, an image that is not square has another shape.
        upright = _decode(ops.concatenate([x, _rotate(x, 2)], axis=0), layers=layers)
        aside = _decode(ops.concatenate([_rotate(x, 1), _rotate(x, 3)], axis=0), layers=layers)
        at_0, at_180 = ops.split(upright, 2, axis=0)
        at_90, at_270 = ops.split(aside, 2, axis=0)
        x = ops.concatenate(
            [at_0, _rotate(at_90, -1), _rotate(at_180, -2), _rotate(at_270, -3)], axis=-1
        )
        x = unet.mixed(x, layers, outputs, gain)
    else:
        x = unet.laine(x, layers, outputs, gain)
    name = "ssdn_blindspot" if blindspot else "ssdn_plain"
    return keras.Model(image, x, name=name)


class Directional:
    """A blind-spot network for restoring: its four directions one after the other.

    It turns the kernels instead of the images, and applies the last layers to strips. Compared with
    calling the network it takes the same time and half of the memory; runtimes of ONNX take half of
    the time, for they are slower at turning features than at convolving them (docs/performance.md).
    TensorFlow only: the order is part of its graph.

    Args:
        network: of `build_network` with blindspot=True; its weights are used, not copied.
        strips: parts of an image that the last layers are applied to, one after the other.
    """

    def __init__(self, network, strips=8):
        self.strips = strips
        self._layers = {layer.name: layer for layer in network.layers if layer.weights}

    def __call__(self, images, training=False):
        """The network's outputs, (N, H, W, outputs), of (N, H, W, C); H and W multiples of 32."""
        from common.networks import ordering

        layers = self._layers
        x = ops.cast(images, layers["enc_conv0"].compute_dtype)
        branches = []
        for turns in range(4):
            x = ordering.after(x, branches[-1:])
            branches.append(_decode(x, layers=_Turned(layers, turns), turns=turns))

        def convolve(x, filters, name, **settings):
            return layers[name](x)

        strips = []
        for parts in zip(*(ops.split(branch, self.strips, axis=1) for branch in branches)):
            joined = ordering.after(ops.concatenate(parts, axis=-1), strips[-1:])
            strips.append(unet.mixed(joined, convolve))
        return ops.concatenate(strips, axis=1)


class _Turned:
    """What unet.Convolutions does, with given layers and their kernels turned clockwise."""

    def __init__(self, layers, turns):
        self._layers, self._turns = layers, turns

    def __call__(self, x, filters, name, *, padding):
        kernel, bias = self._weights(name)
        return ops.conv(x, kernel, padding=padding) + bias

    def join(self, x, skip, filters, name, *, pads):
        return upsampling.convolve(x, skip, *self._weights(name), pads=pads, trained=False)

    def _weights(self, name):
        layer = self._layers[name]
        kernel = _rotate(layer.kernel, -self._turns, axis=0)
        return tuple(ops.cast(x, layer.compute_dtype) for x in (kernel, layer.bias))


def copy_of_layers(network):
    """A copy of a blind-spot network, `Directional` and made of Keras' own layers alone.

    Every layer stands there four times, its kernel turned; files are 3.6 times as large.

    Args:
        network: of `build_network` with blindspot=True.

    Returns:
        keras.Model.
    """
    sources = {layer.name: layer for layer in network.layers if layer.weights}
    policy = sources["enc_conv0"].dtype_policy
    image = keras.Input(network.input_shape[1:], name="image")
    x, branches = ops.cast(image, policy.compute_dtype), []
    with upsampling.portable():
        for turns in range(4):
            layers = unet.Convolutions(seed=0, dtype=policy, suffix=f"_turned_{turns}")
            branches.append(_decode(x, layers=layers, turns=turns))
    layers = unet.Convolutions(seed=0, dtype=policy)
    x = unet.mixed(ops.concatenate(branches, axis=-1), layers, sources["nin_c"].filters)
    copy = keras.Model(image, x, name=network.name)
    for layer in copy.layers:
        if layer.weights:
            name, _, turns = layer.name.partition("_turned_")
            kernel, bias = sources[name].get_weights()
            layer.set_weights([np.rot90(kernel, -int(turns or 0)), bias])
    return copy


def receptive_radius(blindspot):
    """How far an output pixel sees, pixels; measured by tests/ssdn_tf/test_network.py."""
    if not blindspot:
        return unet.laine_radius()
    # A convolution that looks only upwards reaches twice as far; every shift adds one row.
    return sizes.radius([2 * 4 + 2, 2 * 3 + 1, 2 * 3 + 1, 2 * 3 + 1, 2 * 3 + 1, 2 * 1])


def _decode(image, *, layers, turns=None):
    """Applies the blind-spot U-Net of 3x3 convolutions: (N, H, W, C) -> (N, H, W, 96).

    turns: what it takes for up, in quarter turns clockwise; None: the top, in a network that will
        be trained.
    """
    # Two rows of zeros above, none below: a convolution sees its own row and those above.
    pads = _turned(((2, 0), (1, 1)), turns or 0)

    def conv(x, filters, name):
        x = ops.pad(x, ((0, 0), *pads, (0, 0)))
        return unet.leaky_relu(layers(x, filters, name, padding="valid"))

    def join(x, skip, filters, name):
        return unet.leaky_relu(layers.join(x, skip, filters, name, pads=pads))

    def pool(x):
        # Without the row on top, a 2x2 maximum would bring the row below into the coarser pixel.
        # Of H + 1 rows the pooling leaves out the last.
        return unet.pool(_row_above(x) if turns is None else _shift(x, turns))

    x = unet.trunk(image, conv, join, pool, suffixes=("a", "b"))
    x = conv(join(x, image, 96, "dec_conv1a"), 96, "dec_conv1b")
    # The convolutions see their own row. Without a shift by one more row the centre pixel would be
    # in its own receptive field, and the network would learn to copy it.
    return shift_down(x) if turns is None else _shift(x, turns)


def _turned(pads, turns):
    """Padding ((top, bottom), (left, right)) after quarter turns clockwise."""
    (top, bottom), (left, right) = pads
    for _ in range(turns):
        top, right, bottom, left = left, top, right, bottom
    return (top, bottom), (left, right)


def shift_down(x):
    """Moves (N, H, W, C) down by one row: the top row becomes zeros, the last row is dropped."""
    return _row_above(_DropLastRow()(x))


def _shift(x, turns):
    """`shift_down` where down is turned by quarter turns clockwise."""
    axis, from_start = 1 + turns % 2, turns in (0, 3)

    def along(kept):
        return x[(slice(None),) * axis + (kept,)]

    kept = along(slice(None, -1) if from_start else slice(1, None))
    zeros = ops.zeros_like(along(slice(1)))
    return ops.concatenate([zeros, kept] if from_start else [kept, zeros], axis=axis)


def _row_above(x):
    """Adds a row of zeros on top.

    Concatenation does it, not padding: ONNX Runtime, up to 1.31, merges padding with the maximum
    that follows, as if the padding were minus infinity.
    """
    return ops.concatenate([ops.zeros_like(x[:, :1]), x], axis=1)


class _DropLastRow(keras.Operation):
    """x[:, :-1] with a faster gradient: TensorFlow's of an indexed tensor takes long on CPUs."""

    def call(self, x):
        """(N, H, W, C) -> (N, H - 1, W, C)."""
        batch, height, width, channels = ops.shape(x)
        return ops.slice(x, (0, 0, 0, 0), (batch, height - 1, width, channels))

    def compute_output_spec(self, x):
        """Shape and type of the result."""
        batch, height, width, channels = x.shape
        height = None if height is None else height - 1
        return keras.KerasTensor((batch, height, width, channels), x.dtype)


def _rotate(x, quarter_turns, axis=1):
    """Turns (N, H, W, C) counter-clockwise by quarter turns, as numpy.rot90 does.

    ops.rot90 can't be used: on TensorFlow, up to Keras 3.15, its half turns are wrong unless H
    equals W (keras-team/keras#23435), and it takes long to trace.

    axis: that of H; the next one is W.
    """
    quarter_turns %= 4
    order = list(range(len(x.shape)))
    order[axis : axis + 2] = axis + 1, axis
    if quarter_turns == 2:
        return ops.flip(ops.flip(x, axis=axis), axis=axis + 1)  # Keras 3.10 takes one at a time
    if quarter_turns == 1:
        return ops.transpose(ops.flip(x, axis=axis + 1), order)
    return ops.flip(ops.transpose(x, order), axis=axis + 1) if quarter_turns else x
