"""Classical deblurring with the true kernel, beside the networks, which do not know it."""

import numpy as np

# Weight of Wiener's smoothness over the variance of the noise: of 1, 3, 10, 30, ... that with the
# highest PSNR on sample photographs with motion9, disc3 and gauss1 to 5. Without noise, little.
BALANCE, LEAST_NOISE = 100.0, 0.05 / 255
ITERATIONS = 30  # Richardson-Lucy, skimage's example


def blurred(noisy, kernel, sigma):
    """What comes in, unrestored."""
    return noisy


def wiener(noisy, kernel, sigma):
    """skimage.restoration.wiener, its regularisation by the noise's deviation sigma."""
    balance = BALANCE * max(float(sigma), LEAST_NOISE) ** 2

    def restore(channel):
        from skimage import restoration

        return restoration.wiener(channel, kernel, balance, clip=False)

    return _each_channel(restore, noisy)


def unsupervised_wiener(noisy, kernel, sigma):
    """skimage.restoration.unsupervised_wiener, which estimates the noise (Orieux et al. 2010)."""

    def restore(channel):
        from skimage import restoration

        return restoration.unsupervised_wiener(
            channel, kernel, clip=False, rng=np.random.default_rng(0)
        )[0]

    return _each_channel(restore, noisy)


def richardson_lucy(noisy, kernel, sigma):
    """skimage.restoration.richardson_lucy of 30 iterations, the image continued on all sides."""
    # It convolves without wrapping, and wants a middle.
    odd = np.pad(kernel, [(0, 1 - side % 2) for side in kernel.shape])
    # Wide enough for what goes wrong at the edges to stay there.
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
