"""Sheets of pictures: what networks make of an image, and the steps of a method."""

import numpy as np

from common.files import atomic, image_files

LOG_SPECTRUM_FLOOR = 1e-4  # smallest magnitude of a spectrum that its picture tells apart


def keep(path, image):
    """Writes an image (H, W, 1 or 3), float on [0, 1], as a picture of 8 bits.

    A command that goes on does not restore again what it has scored; the picture is there.
    """
    from common.evaluation import figures

    image_files.write(path, np.asarray(figures.to_picture(image)))


def kept(cells):
    """Opens kept pictures: (caption, path) -> (caption, picture); missing ones are left out."""
    from PIL import Image

    return [(caption, Image.open(path)) for caption, path in cells if path.is_file()]


def in_rows(cells, width=4):
    """Cuts a list of cells into rows of so many."""
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def write(path, rows, *, crop=None):
    """Writes a sheet.

    Args:
        path: pathlib.Path of the PNG file.
        rows: lists of (caption, picture).
        crop: height and width of the part that is shown, from the middle [the whole pictures].
    """
    from common.evaluation import figures

    with atomic.replacing(path) as temporary:
        figures.contact_sheet([row for row in rows if row], crop=crop).save(temporary, "png")
    print(f"Pictures: {path}", flush=True)


def superresolution_steps(clean, inputs, restored):
    """Rows of the steps from a clean image to a restored one.

    Args:
        clean: (H, W, C) in [0, 1].
        inputs: of the example, with `small` and `noisy`, the enlarged image with noise.
        restored: (H, W, C).

    Reference: Cadiou & Dervishi, figure 4.
    """
    from common.evaluation import figures
    from common.files import pixels

    enlarged = pixels.resize(inputs["small"], clean.shape[:2])
    steps = {
        "clean": clean,
        "shrunk": inputs["small"],
        "enlarged": enlarged,
        "with noise: the network's input": inputs["noisy"],
        "restored": restored,
    }
    return [[(caption, figures.to_picture(np.asarray(image))) for caption, image in steps.items()]]


def cepstrum_steps(model, blurred):
    """Rows of the steps by which a model of cepstra restores an image.

    Args:
        model: deblur.denoiser.Denoiser of a logarithmic formulation.
        blurred: (H, W, C), H and W the side of the model's tiles.

    Reference: Cadiou & Dervishi, figure 5, steps a to j.
    """
    from common.evaluation import figures
    from deblur import cepstrum

    result = model({"noisy": blurred[None]}, training=True)
    before = np.asarray(cepstrum.transform(blurred[None])[0][0])
    after, restored = (np.asarray(result[name][0]) for name in ("cepstrum", "denoised"))
    steps = {
        "a. blurred": blurred,
        "b. spectrum": _spectrum(blurred),
        "c. its phase": _phase(blurred),
        "d. cepstrum": before,
        "e. without the mean": before - before.mean((0, 1)),
        "f. the network's output": after,
        "g. with the input's mean": after - after.mean((0, 1)) + before.mean((0, 1)),
        "h. spectrum": _spectrum(restored),
        "i. its phase": _phase(restored),
        "j. restored": restored,
    }
    if model.config.formulation != "log_nodc":
        del steps["e. without the mean"], steps["g. with the input's mean"]
    pictures = [
        (caption, figures.stretching(image)(image).resize((192, 192), resample=0))
        for caption, image in steps.items()
    ]
    return in_rows(pictures, 5)


def _spectrum(image):
    """Logarithm of the magnitudes of the spectrum (H, W, C), its origin in the middle."""
    magnitude = np.abs(np.fft.fft2(image, axes=(0, 1), norm="ortho"))
    return np.fft.fftshift(np.log(np.maximum(magnitude, LOG_SPECTRUM_FLOOR)), axes=(0, 1))


def _phase(image):
    """Phases of the spectrum (H, W, C), in (-pi, pi], its origin in the middle."""
    return np.fft.fftshift(np.angle(np.fft.fft2(image, axes=(0, 1))), axes=(0, 1))
