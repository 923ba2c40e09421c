"""Models for the BioImage Model Zoo: a zip with weights, test images and a description.

Needs the extra `bioimageio`. The zip holds the weights twice: for Keras 3, made of Keras' own
layers alone, and in ONNX. Both take float32 images whose sides are multiples of the network's
multiple. Values are in [0, 1], but those of n2v_tf trained on the user's files, and of models with
a calibration, are as in the files.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pathlib
import tempfile
import typing

import numpy as np

from common.serving import saved_models

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

LICENCE = "MIT"
TEST_SIDES = {2: (64, 96), 3: (8, 32, 48)}  # of the test image, pixels; rounded up to the multiple
REPEATABLE = 1e-4  # difference allowed to other machines, in deviations of the restored test image


def export(
    denoiser: Denoiser, output: str | pathlib.Path, *, name: str, paper: typing.Any
) -> pathlib.Path:
    """Write `<output>/<name>-<version>.bioimageio.zip` with the next free version; return its path.

    Args:
        denoiser: a trained model that needs nothing but an image.
        output: the folder; made if it is missing.
        name: of the method's package.
        paper: method.Paper of the method.

    Raises:
        ValueError: the extra is not installed, Keras runs on another backend than TensorFlow, or
            the model needs more than an image.
    """
    if importlib.util.find_spec("bioimageio") is None:
        raise ValueError("format=bioimageio: not installed; pip install 'noise2x[bioimageio]'.")
    import bioimageio.spec

    saved_models.check_backend()
    if list(denoiser.INPUTS) != ["noisy"]:
        raise ValueError(f"format=bioimageio: {name} restores from more than an image.")
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=output) as folder:
        # The Keras file must load without this project.
        description = _describe(pathlib.Path(folder), denoiser.portable(), name, paper)
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


def _describe(folder, denoiser, name, paper):
    """Write the files of a model into a folder; return their description."""
    import keras
    import tensorflow as tf
    from bioimageio.spec.model import v0_5 as zoo

    config, multiple = denoiser.config, denoiser.config.side_multiple
    sides = tuple(-(-n // multiple) * multiple for n in TEST_SIDES[denoiser.spatial])
    noisy = denoiser.typical((1, *sides, config.channels), seed=0).astype(np.float32)
    names = ["denoised", "std"] if denoiser.predicts_std else ["denoised"]

    def restore(inputs):
        # `call` adds the operations of the denoiser to the graph. Calling the denoiser itself would
        # add it as a layer, which only this project can load.
        result = denoiser.call(inputs, padded=False)
        return {name: result[name] for name in names}

    spec = tf.TensorSpec((None,) * (1 + denoiser.spatial) + noisy.shape[-1:], tf.float32, "noisy")
    (folder / "weights.onnx").write_bytes(saved_models.to_onnx(restore, {"noisy": spec}))
    image = keras.Input(spec.shape[1:], name="noisy")
    outputs = list(restore({"noisy": image}).values())
    model = keras.Model(image, outputs if len(outputs) > 1 else outputs[0], name=name)
    model.save(folder / "weights.keras")
    np.save(folder / "noisy.npy", noisy)
    results = model.predict_on_batch(noisy)
    restored = dict(zip(names, results if len(outputs) > 1 else [results]))
    for output, values in restored.items():
        np.save(folder / f"{output}.npy", values)
    (folder / "README.md").write_text(_readme(denoiser, name, paper))

    def axes(size, space):
        names = [zoo.Identifier(f"channel{i}") for i in range(config.channels)]
        spatial = [space(id=axis, size=size(axis)) for axis in "zyx"[-denoiser.spatial :]]
        return [zoo.BatchAxis(), *spatial, zoo.ChannelAxis(channel_names=names)]

    def any_multiple(axis):
        return zoo.ParameterizedSize(min=multiple, step=multiple)

    def same(axis):
        return zoo.SizeReference(tensor_id="noisy", axis_id=axis)

    # A model that enlarges makes the pixels smaller.
    enlarged_axis = functools.partial(zoo.SpaceOutputAxis, scale=1 / denoiser.scale)

    def file(filename):
        return zoo.FileDescr(source=folder / filename)

    return zoo.ModelDescr(
        name=f"{name} of noise2x",
        description="Restores noisy images; trained without clean ones.",
        authors=[zoo.Author(name="the noise2x project")],
        cite=[zoo.CiteEntry(text=paper.reference, doi=paper.doi)],
        license=LICENCE,
        tags=["denoising", "self-supervised", "restoration"],
        documentation=file("README.md"),
        inputs=[
            zoo.InputTensorDescr(
                id="noisy",
                axes=axes(any_multiple, zoo.SpaceInputAxis),
                test_tensor=file("noisy.npy"),
            )
        ],
        outputs=[
            zoo.OutputTensorDescr(
                id=output, axes=axes(same, enlarged_axis), test_tensor=file(f"{output}.npy")
            )
            for output in names
        ],
        weights=zoo.WeightsDescr(
            keras_v3=zoo.KerasV3WeightsDescr(
                source=folder / "weights.keras",
                keras_version=keras.__version__,
                backend=("tensorflow", tf.__version__),
            ),
            onnx=zoo.OnnxWeightsDescr(
                source=folder / "weights.onnx", opset_version=saved_models.ONNX_OPSET
            ),
        ),
        config=zoo.Config(
            bioimageio=zoo.BioimageioConfig(
                reproducibility_tolerance=[
                    zoo.ReproducibilityTolerance(
                        relative_tolerance=1e-3,
                        absolute_tolerance=REPEATABLE * float(restored["denoised"].std()),
                    )
                ]
            )
        ),
    )


def _readme(denoiser, name, paper):
    """The page about the model, in Markdown."""
    settings = "\n".join(f"* {k}: {v}" for k, v in sorted(vars(denoiser.config).items()))
    counts = denoiser.config.keeps_counts or denoiser.config.white_level == 1  # as calibrated ones
    scale = "values as in the files" if counts else "values in [0, 1]"
    return (
        f"# {name}\n\n{paper.reference}\n\nInput and output: float32, {scale}.\n\n## Training\n\n"
        f"{settings}\n\n## Validation\n\nThe test image is noise of the range of the training "
        "images; compare the result on images of your own with what you know of them.\n"
    )
