"""The complex cepstrum of images, in which convolution with a kernel becomes addition."""

from keras import ops

TINY = 1e-8  # smallest magnitude in an orthonormal spectrum; smaller ones have no usable logarithm
MAX_LOG = 20.0  # largest logarithm that `invert` accepts; errors of a network could overflow exp


def transform(images):
    """Computes the complex cepstrum F^-1(log F(image)) of every channel.

    Both Fourier transforms are orthonormal, so that values have the same scale at any size. The
    logarithm is the principal value: its phases are in (-pi, pi], and magnitudes below 1e-8 are
    set to 1e-8.

    The cepstrum of a real image is real, with one exception: a frequency of phase pi leaves an
    imaginary part, which `invert` needs. This happens at negative frequencies that are their own
    mirror images (the mean, and the highest frequencies of even sides), and where rounding gives a
    phase of pi.

    Args:
        images: (N, H, W, C) float32.

    Returns:
        (real part, imaginary part), each (N, H, W, C), with the origin in the middle.

    Reference: Cadiou & Dervishi, section 4.2.1, equation 2 and figure 5, steps b to d.
    """
    real, imaginary = _to_spectrum(images, ops.zeros_like(images))
    power = ops.square(real) + ops.square(imaginary)
    logarithm = 0.5 * ops.log(ops.maximum(power, TINY**2))
    parts = _from_spectrum(logarithm, ops.arctan2(imaginary, real))
    return tuple(_shifted(part, 1) for part in parts)


def invert(real, imaginary):
    """Inverts `transform`: computes the image F^-1(exp(F(.))); exact except for rounding.

    Args:
        real, imaginary: (N, H, W, C), parts of a cepstrum.

    Returns:
        (N, H, W, C).
    """
    # Both parts need the same static shape: in a graph, FFTs refuse a pair of which only one has
    # sides that are known in advance.
    real = ops.reshape(real, ops.shape(imaginary))
    logarithm, phase = _to_spectrum(_shifted(real, -1), _shifted(imaginary, -1))
    magnitude = ops.exp(ops.minimum(logarithm, MAX_LOG))
    return _from_spectrum(magnitude * ops.cos(phase), magnitude * ops.sin(phase))[0]


def _to_spectrum(real, imaginary):
    """Orthonormal Fourier transform of (N, H, W, C): two parts (N, C, H, W)."""
    parts = ops.fft2(tuple(ops.transpose(part, (0, 3, 1, 2)) for part in (real, imaginary)))
    return tuple(part / _root_of_count(real) for part in parts)


def _from_spectrum(real, imaginary):
    """Inverse of `_to_spectrum`."""
    parts = ops.ifft2((real, imaginary))
    return tuple(
        ops.transpose(part, (0, 2, 3, 1)) * _root_of_count(parts[0], (2, 3)) for part in parts
    )


def _root_of_count(array, axes=(1, 2)):
    """Square root of the number of pixels of an image."""
    height, width = (ops.shape(array)[axis] for axis in axes)
    return ops.sqrt(ops.cast(height * width, "float32"))


def _shifted(images, sign):
    """Moves the first pixel to the middle (sign 1), or back (sign -1)."""
    for axis in (1, 2):
        side = ops.shape(images)[axis]
        position = (ops.arange(side, dtype="int32") - sign * (side // 2)) % side
        images = ops.take(images, position, axis=axis)
    return images
