"""The networks of super-resolution: those of Noise2Noise and Noise2Void, on enlarged images."""

from n2n_tf import network as n2n
from n2v_tf import network as n2v

# Of Noise2Void's network, as published for photographs.
DEPTH, WIDTH, KERNEL_SIZE = 2, 32, 3


def build_network(learner, channels, *, seed=0, dtype="float32"):
    """Builds the network: (N, H, W, channels) in [-0.5, 0.5] to the same.

    H and W are multiples of 32.

    Args:
        learner: "n2n" or "n2v".
        channels, seed, dtype: see n2n_tf.network.build_network.
    """
    if learner == "n2n":
        # Its output is added to the enlarged image; with 0 the training starts from that image.
        return n2n.build_network(channels, seed=seed, dtype=dtype, last_gain=0.0)
    return n2v.build_network(
        channels,
        spatial=2,
        depth=DEPTH,
        width=WIDTH,
        kernel_size=KERNEL_SIZE,
        batch_norm=True,
        residual=False,
        blurpool=False,
        skip_skipone=False,
        single_net_per_channel=True,
        seed=seed,
        dtype=dtype,
    )


def receptive_radius(learner):
    """How far an output pixel sees, pixels of the enlarged image.

    learner: "n2n" or "n2v".
    """
    if learner == "n2n":
        return n2n.receptive_radius("unet")
    return n2v.receptive_radius(DEPTH, KERNEL_SIZE, False)
