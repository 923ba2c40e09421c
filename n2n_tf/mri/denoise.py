"""Reconstructs MRI slices from files of undersampled spectra.

python -m n2n_tf.mri.denoise measured/*.npy
python -m n2n_tf.mri.denoise --run_dir=runs/ixi --output=slices spectrum.npy

An input file is an .npy array of complex numbers, (H, W) or (N, H, W), H and W odd. It holds the
spectrum of a real image, with the zero frequency in the middle and 0 where nothing was measured,
sampled in the way that the model was trained on. The result is NAME.tif, float32, on the scale of
the spectrum, in the folder --output, or NAME-denoised.tif beside the file.

`noise2x denoise n2n-mri` is the same command. Without --run_dir it uses the newest finished run of
n2n_tf.mri in runs/.
"""

import pathlib

import numpy as np

from common import progress
from common.commands import flags, running
from common.commands.denoise import input_patterns
from common.files import image_files, listing
from common.files.errors import ImageError
from n2n_tf.mri.method import METHOD

FLAGS = flags.FLAGS
# Largest imaginary part of an image that still counts as real, as a share of its largest real part.
ASYMMETRY = 0.05


def read_spectra(path):
    """Reads the spectra in an .npy file: (N, H, W) complex128.

    Raises:
        ImageError: the file is not readable or its values are not complex, its sides are even, or
            the spectra are not finite or not those of real images.
    """
    path = pathlib.Path(path)
    try:
        spectra = np.load(path, allow_pickle=False)
    except Exception as error:  # damaged bytes make NumPy raise nearly anything
        raise ImageError(f"{path}: not readable as .npy ({image_files.short(error)}).") from error
    if not isinstance(spectra, np.ndarray) or spectra.dtype.kind != "c":
        kind = getattr(spectra, "dtype", type(spectra).__name__)
        raise ImageError(f"{path}: {kind} values; expected a complex spectrum.")
    shape = spectra.shape
    spectra = spectra[None] if spectra.ndim == 2 else spectra
    if spectra.ndim != 3 or 0 in spectra.shape or not all(n % 2 for n in spectra.shape[1:]):
        raise ImageError(f"{path}: shape {shape}; expected (H, W) or (N, H, W), H and W odd.")
    if not np.isfinite(spectra).all():
        raise ImageError(f"{path}: NaN or infinite values; replace them first.")
    image = np.fft.ifft2(np.fft.ifftshift(spectra, axes=(1, 2)))
    if np.abs(image.imag).max() > ASYMMETRY * np.abs(image.real).max():
        raise ImageError(
            f"{path}: not the spectrum of a real image; samples come in pairs, a frequency and its "
            "mirror image with the conjugate value."
        )
    return spectra.astype(np.complex128)


def restore_spectrum(model, measured):
    """Reconstructs one slice.

    Args:
        model: a trained Denoiser.
        measured: (H, W) complex, zero frequency in the middle, 0 where nothing was measured.

    Returns:
        (H, W) float32 on the scale of `measured`.
    """
    from common.restoring import prediction
    from n2n_tf.mri import spectrum

    config = model.config
    edge = config.noise.fixed_level()
    density = spectrum.keep_probability(*measured.shape, edge) * (measured != 0)
    noisy = spectrum.compensated(measured, density)
    # The network was trained on slices from 0 to 1. Undersampling makes single values overshoot by
    # half and more, so white is a quantile and not the maximum.
    white = config.white_level or max(float(np.quantile(noisy, 0.99)), 1e-12)
    inputs = {"noisy": (noisy / np.float32(white))[..., None], "density": density[..., None]}
    return prediction.restore(model, inputs)["denoised"][..., 0] * np.float32(white)


def _run(arguments):
    from common.restoring import jobs

    patterns = input_patterns(arguments)
    run_dir = running.finished_run(METHOD.name, f"python -m {METHOD.name}.train")
    model = METHOD.load(run_dir, FLAGS.precision)
    files = [file for pattern in patterns for file in listing.images_of(pattern)]
    files = listing.without_results(files)

    def restore(path, target):
        slices = np.stack([restore_spectrum(model, measured) for measured in read_spectra(path)])
        image_files.write(target, slices[..., None])
        return f"{path} -> {target}"

    todo = [(file.path, file.result(FLAGS.output, ".tif")) for file in listing.marked(files)]
    jobs.do_each(todo, restore, show=progress.say)


def _define_flags():
    flags.define_run("restore with")
    flags.define_files()
    flags.define_precision()


def main():
    """Runs `python -m n2n_tf.mri.denoise`."""
    running.run(_run, _define_flags, __doc__, takes_arguments=True)


if __name__ == "__main__":
    main()
