"""Images by the logarithm of their spectrum: convolution with a kernel becomes addition."""

from keras import ops

TINY = 1e-8  # what a frequency that is absent counts as, spectra being orthonormal
MAX_LOG = 20.0  # of the logarithm undone: beyond, a network's mistake would overflow


def transform(images):
    """F^-1(log F(image)) of every channel: the complex cepstrum, its origin in the middle.

    Both transforms are orthonormal, so that values mean the same at any size. The logarithm is the
    principal one: magnitudes below 1e-8 count as that, phases lie within (-pi, pi]. It is that of
    a real image but for frequencies that are their own mirror images, the mean and those of highest
    frequency on even sides: where they are negative, or a phase is pi within rounding, an imaginary
    part is left. It is kept aside for `invert`.

    Args:
        images: (N, H, W, C) float32.

    Returns:
        (real part, imaginary part), each (N, H, W, C).

    Reference: Cadiou & Dervishi, section 4.2.1, equation 2 and figure 5, steps b to d.
    """
    real, imaginary = _to_spectrum(images, ops.zeros_like(images))
    power = ops.square(real) + ops.square(imaginary)
    logarithm = 0.5 * ops.log(ops.maximum(power, TINY**2))
    parts = _from_spectrum(logarithm, ops.arctan2(imaginary, real))
    return tuple(_shifted(part, 1) for part in parts)


def invert(real, imaginary):
    """F^-1(exp(F(.))), the image of `transform`'s result: (N, H, W, C); exact but for rounding."""
    # Sides that one knows before the graph runs and the other does not, FFTs take for different.
    real = ops.reshape(real, ops.shape(imaginary))
    logarithm, phase = _to_spectrum(_shifted(real, -1), _shifted(imaginary, -1))
    magnitude = ops.exp(ops.minimum(logarithm, MAX_LOG))
    return _from_spectrum(magnitude * ops.cos(phase), magnitude * ops.sin(phase))[0]


def _to_spectrum(real, imaginary):
    parts = ops.fft2(tuple(ops.transpose(part, (0, 3, 1, 2)) for part in (real, imaginary)))
    return tuple(part / _root_of_count(real) for part in parts)


def _from_spectrum(real, imaginary):
    parts = ops.ifft2((real, imaginary))
    return tuple(
        ops.transpose(part, (0, 2, 3, 1)) * _root_of_count(parts[0], (2, 3)) for part in parts
    )


def _root_of_count(array, axes=(1, 2)):
    """The square root of how many pixels an image has."""
    height, width = (ops.shape(array)[axis] for axis in axes)
    return ops.sqrt(ops.cast(height * width, "float32"))


def _shifted(images, sign):
    """Moves the first pixel to the middle, or back."""
    for axis in (1, 2):
        side = ops.shape(images)[axis]
        position = (ops.arange(side, dtype="int32") - sign * (side // 2)) % side
        images = ops.take(images, position, axis=axis)
    return images
