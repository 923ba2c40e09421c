"""Classical deblurring methods for comparison; unlike the networks, they use the true kernel.

Every method takes a blurred image (H, W, C), its kernel (h, w) and the standard deviation of its
noise on [0, 1], and returns (H, W, C) float32.
"""

import numpy as np

# The regularisation of `wiener` is BALANCE times the variance of the noise. Among 1, 3, 10, 30, ...
# this factor has the highest PSNR on sample photographs with motion9, disc3 and gauss1 to 5. Images
# without noise are treated as if sigma were LEAST_NOISE.
BALANCE, LEAST_NOISE = 100.0, 0.05 / 255
ITERATIONS = 30  # of Richardson-Lucy, as in skimage's example


def blurred(noisy, kernel, sigma):
    """The blurred image itself."""
    return noisy


def wiener(noisy, kernel, sigma):
    """skimage.restoration.wiener, with a regularisation that depends on sigma."""
    balance = BALANCE * max(float(sigma), LEAST_NOISE) ** 2

    def restore(channel):
        from skimage import restoration

        return restoration.wiener(channel, kernel, balance, clip=False)

    return _each_channel(restore, noisy)


def unsupervised_wiener(noisy, kernel, sigma):
    """skimage.restoration.unsupervised_wiener, which estimates the noise itself.

    Reference: Orieux et al. 2010.
    """

    def restore(channel):
        from skimage import restoration

        return restoration.unsupervised_wiener(
            channel, kernel, clip=False, rng=np.random.default_rng(0)
        )[0]

    return _each_channel(restore, noisy)


def richardson_lucy(noisy, kernel, sigma):
    """skimage.restoration.richardson_lucy with 30 iterations, on the periodically padded image."""
    # The kernel needs a middle, so its sides must be odd.
    odd = np.pad(kernel, [(0, 1 - side % 2) for side in kernel.shape])
    # The function convolves without wrapping. The margins are wide enough for its errors at the
    # edges not to reach the image.
    margins = [(max(4 * side, 32),) * 2 for side in odd.shape]

    def restore(channel):
        from skimage import restoration

        wrapped = np.pad(np.maximum(channel, 0.0), margins, mode="wrap")
        restored = restoration.richardson_lucy(
            wrapped, odd, num_iter=ITERATIONS, clip=False, filter_epsilon=1e-6
        )
        return restored[tuple(slice(a, -b) for a, b in margins)]

    return _each_channel(restore, noisy)


def _each_channel(restore, image):
    channels = [restore(channel.astype(np.float64)) for channel in np.moveaxis(image, -1, 0)]
    return np.stack(channels, axis=-1).astype(np.float32)


NAMES = {f.__name__: f for f in (blurred, wiener, unsupervised_wiener, richardson_lucy)}
