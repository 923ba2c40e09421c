"""Blind-spot network and its plain sibling (Laine et al. 2019, section 2 and appendix)."""

import functools

import keras
from keras import ops

from common.networks import sizes, unet


def build_network(channels, *, outputs, blindspot=True, zero_last=False, seed=0, dtype="float32"):
    """Maps (N, H, W, channels) in [0, 1] to (N, H, W, outputs); H and W multiples of 32.

    In the blind-spot network an output pixel depends on every input pixel around it and not at all
    on its own: tests/golden/ssdn_backbone_blindspot_*.npz. H and W may differ.

    Args:
        channels: of the image, 1 or 3.
        outputs: values a pixel: the means and what describes their covariance.
        blindspot: False gives the ordinary U-Net of the baselines.
        zero_last: the last layer starts at zero, as the original's noise estimator does.
        seed: int, of the initial kernels.
        dtype: "float32", or "mixed_bfloat16" for bfloat16 arithmetic on float32 weights.
    """
    layers = unet.Convolutions(seed=seed, dtype=dtype)
    image = keras.Input((None, None, channels), name="image")
    # The image joins features as a skip: of another precision it would make them all float32.
    x = ops.cast(image, keras.DTypePolicy(dtype).compute_dtype)
    decode = functools.partial(_decode, layers=layers, blindspot=blindspot)
    if blindspot:
        # Two batches, for a picture lying on its side has another shape than one upright.
        upright = decode(ops.concatenate([x, _rotate(x, 2)], axis=0))
        aside = decode(ops.concatenate([_rotate(x, 1), _rotate(x, 3)], axis=0))
        at_0, at_180 = ops.split(upright, 2, axis=0)
        at_90, at_270 = ops.split(aside, 2, axis=0)
        x = ops.concatenate(
            [at_0, _rotate(at_90, -1), _rotate(at_180, -2), _rotate(at_270, -3)], axis=-1
        )
    else:
        x = decode(x)
    x = unet.leaky_relu(layers(x, x.shape[-1], "nin_a", kernel_size=1))
    x = unet.leaky_relu(layers(x, 96, "nin_b", kernel_size=1))
    x = layers(x, outputs, "nin_c", kernel_size=1, gain=0.0 if zero_last else 1.0)
    name = "ssdn_blindspot" if blindspot else "ssdn_plain"
    return keras.Model(image, ops.cast(x, "float32"), name=name)


def receptive_radius(blindspot):
    """How far an output pixel sees, pixels. tests/ssdn_tf/test_network.py measures it."""
    if not blindspot:
        return sizes.radius([4, 3, 3, 3, 3, 1])
    # Upwards a convolution reaches twice as far, and each shift one more.
    return sizes.radius([2 * 4 + 2, 2 * 3 + 1, 2 * 3 + 1, 2 * 3 + 1, 2 * 3 + 1, 2 * 1])


def _decode(image, *, layers, blindspot):
    """The 3x3 part: (N, H, W, C) -> (N, H, W, 96)."""

    def conv(x, filters, name):
        if blindspot:  # two rows of zeros above and none below: sees its own row and those above
            x = ops.pad(x, ((0, 0), (2, 0), (1, 1), (0, 0)))
        padding = "valid" if blindspot else "same"
        return unet.leaky_relu(layers(x, filters, name, padding=padding))

    def pool(x):
        # A 2x2 maximum would carry a row upwards into the next coarser pixel.
        return unet.pool(shift_down(x) if blindspot else x)

    x = unet.trunk(image, conv, pool, suffixes=("a", "b"))
    x = conv(conv(x, 96, "dec_conv1a"), 96, "dec_conv1b")
    # The convolutions see their own row: without one more row down the centre pixel would be in its
    # own receptive field, and the network would learn to copy it.
    return shift_down(x) if blindspot else x


def shift_down(x):
    """Moves (N, H, W, C) down by one row; zeros come in at the top, the last row is lost.

    Not by padding: ONNX Runtime, up to 1.31, makes padding before a maximum part of the maximum, as
    if it had padded with minus infinity.
    """
    return ops.concatenate([ops.zeros_like(x[:, :1]), x[:, :-1]], axis=1)


def _rotate(x, quarter_turns):
    """Turns (N, H, W, C) counter-clockwise by quarter turns, as numpy.rot90 does.

    Not by ops.rot90: on TensorFlow, up to Keras 3.15, it is wrong for half turns unless H equals W
    (keras-team/keras#23435).
    """
    quarter_turns %= 4
    if quarter_turns == 2:
        return ops.flip(ops.flip(x, axis=1), axis=2)  # Keras 3.10 takes one axis at a time
    if quarter_turns == 1:
        return ops.transpose(ops.flip(x, axis=2), (0, 2, 1, 3))
    return ops.flip(ops.transpose(x, (0, 2, 1, 3)), axis=2)
