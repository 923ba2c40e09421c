"""The network of deblurring is Noise2Noise's U-Net; this is how far a pixel of it sees."""

from n2n_tf.network import build_network, receptive_radius

__all__ = ["build_network", "receptive_radius"]
