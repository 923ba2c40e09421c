"""Models for the BioImage Model Zoo: a zip with weights of Keras 3, test images and a description.

Needs the extra `bioimageio`. What runs there is a plain Keras model of Keras' own layers, on images
whose sides are multiples of what the network halves, of the values that the training's files held.
"""

import importlib.util
import os
import pathlib
import tempfile

import numpy as np

LICENCE = "MIT"
TEST_SIDES = {2: (64, 96), 3: (8, 32, 48)}  # of the test image; at least the network's multiple
REPEATABLE = 1e-4  # of the deviation: what another machine may add up differently


def export(denoiser, output, *, name, cite):
    """Writes `<output>/<name>-<version>.bioimageio.zip`, the next free number, and its path.

    Args:
        denoiser: `denoiser.Denoiser` that has `portable`.
        output: folder.
        name: of the method's package.
        cite: (reference, DOI) of the method's paper.

    Raises:
        ValueError: the extra is not installed, or the method has no such form.
    """
    if importlib.util.find_spec("bioimageio") is None:
        raise ValueError("format=bioimageio: not installed; pip install 'noise2x[bioimageio]'.")
    import bioimageio.spec

    model = denoiser.portable()
    if model is None:
        raise ValueError(f"format=bioimageio: {name} has no form of Keras' own layers alone.")
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=output) as folder:
        description = _describe(pathlib.Path(folder), model, denoiser, name, cite)
        written = pathlib.Path(folder) / "model.zip"
        bioimageio.spec.save_bioimageio_package(description, output_path=written)
        path = _next_path(output, name)
        os.replace(written, path)
    return path


def _next_path(output, name):
    number = 1
    while (path := output / f"{name}-{number}.bioimageio.zip").exists():
        number += 1
    return path


def _describe(folder, model, denoiser, name, cite):
    """The description, of files written into the folder."""
    import keras
    import tensorflow as tf
    from bioimageio.spec.model import v0_5 as zoo

    config, multiple = denoiser.config, denoiser.config.side_multiple
    sides = tuple(-(-n // multiple) * multiple for n in TEST_SIDES[denoiser.spatial])
    noisy = denoiser.typical((1, *sides, config.channels), seed=0).astype(np.float32)
    restored = model.predict_on_batch(noisy)
    model.save(folder / "weights.keras")
    np.save(folder / "noisy.npy", noisy)
    np.save(folder / "denoised.npy", restored)
    (folder / "README.md").write_text(_readme(denoiser, name, cite))

    def axes(size, space):
        names = [zoo.Identifier(f"channel{i}") for i in range(config.channels)]
        spatial = [space(id=axis, size=size(axis)) for axis in "zyx"[-denoiser.spatial :]]
        return [zoo.BatchAxis(), *spatial, zoo.ChannelAxis(channel_names=names)]

    def given(axis):
        return zoo.ParameterizedSize(min=multiple, step=multiple)

    def same(axis):
        return zoo.SizeReference(tensor_id="noisy", axis_id=axis)

    def file(of):
        return zoo.FileDescr(source=folder / of)

    return zoo.ModelDescr(
        name=f"{name} of noise2x",
        description="Restores noisy images; trained without clean ones.",
        authors=[zoo.Author(name="the noise2x project")],
        cite=[zoo.CiteEntry(text=cite[0], doi=cite[1])],
        license=LICENCE,
        tags=["denoising", "self-supervised", "restoration"],
        documentation=file("README.md"),
        inputs=[
            zoo.InputTensorDescr(
                id="noisy", axes=axes(given, zoo.SpaceInputAxis), test_tensor=file("noisy.npy")
            )
        ],
        outputs=[
            zoo.OutputTensorDescr(
                id="denoised",
                axes=axes(same, zoo.SpaceOutputAxis),
                test_tensor=file("denoised.npy"),
            )
        ],
        weights=zoo.WeightsDescr(
            keras_v3=zoo.KerasV3WeightsDescr(
                source=folder / "weights.keras",
                keras_version=keras.__version__,
                backend=("tensorflow", tf.__version__),
            )
        ),
        config=zoo.Config(
            bioimageio=zoo.BioimageioConfig(
                reproducibility_tolerance=[
                    zoo.ReproducibilityTolerance(
                        relative_tolerance=1e-3,
                        absolute_tolerance=REPEATABLE * float(restored.std()),
                    )
                ]
            )
        ),
    )


def _readme(denoiser, name, cite):
    settings = "\n".join(f"* {k}: {v}" for k, v in sorted(vars(denoiser.config).items()))
    return (
        f"# {name}\n\n{cite[0]}\n\nInput and output: float32, values as in the files of the "
        "training.\n\n## Training\n\n"
        f"{settings}\n\n## Validation\n\nThe test image is noise of the training images' mean and "
        "deviation; compare the result on images of your own with what you know of them.\n"
    )
