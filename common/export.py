"""SavedModels: a trained denoiser as a graph that needs TensorFlow and nothing else."""

import os
import pathlib
import shutil

import keras
import numpy as np
import tensorflow as tf

from common import images as image_files
from common import noise_levels


def export(denoiser, output):
    """Writes `<output>/<version>/`, the next free version number, whole or not at all.

    Signatures, all for any height and width from 1 up:
    serving_default: `noisy` (N, H, W, C), of volumes (N, D, H, W, C), float32 in [0, 1], and what
        else its INPUTS name -> the denoiser's float32 outputs.
    denoise_uint8: `noisy` uint8 -> `denoised` uint8; of denoisers of nothing but `noisy`.
    denoise_at_level (models of known noise): also `noise_level` (N,): sigma on [0, 1], lambda, or
        probability; serving_default then takes the level of the training. Of models trained on a
        range there is no such level, and serving_default is denoise_at_level.

    Returns:
        Path of the version's folder.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError("Exporting a SavedModel needs KERAS_BACKEND=tensorflow.")
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    channels, config = denoiser.config.channels, denoiser.config
    sides = (None,) * (1 + denoiser.spatial)
    images = {
        name: tf.TensorSpec((*sides, count or channels), tf.float32, name=name)
        for name, count in denoiser.INPUTS.items()
    }
    pixels = tf.TensorSpec((*sides, channels), tf.uint8, name="noisy")
    level = tf.TensorSpec((None,), tf.float32, name="noise_level")
    white = image_files.white_level(np.uint8, config.white_level)
    takes_level = config.takes_level
    needs_level = takes_level and not noise_levels.parse(config.noise).is_fixed

    def restore(inputs):
        return denoiser(inputs, training=False)

    def restore_uint8(noisy):
        unit = tf.cast(noisy, tf.float32) * np.float32(1 / white)
        scaled = restore({"noisy": unit})["denoised"] * white + 0.5
        return {"denoised": tf.cast(tf.clip_by_value(scaled, 0.0, 255.0), tf.uint8)}

    archive = keras.export.ExportArchive()
    archive.track(denoiser)
    if takes_level:
        archive.add_endpoint("denoise_at_level", restore, [images | {"noise_level": level}])
    if needs_level:
        archive.add_endpoint("serving_default", restore, [images | {"noise_level": level}])
    else:
        archive.add_endpoint("serving_default", restore, [images])
        if list(images) == ["noisy"]:
            archive.add_endpoint("denoise_uint8", restore_uint8, [pixels])

    temporary = output / f".part-{os.getpid()}"
    try:
        archive.write_out(temporary, verbose=False)
        version = next_version(output)
        os.replace(temporary, version)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return version


def next_version(output):
    """The folder after the highest number in `output`; the first is 1."""
    taken = [int(p.name) for p in output.iterdir() if p.name.isdigit()]
    return output / str(max(taken, default=0) + 1)
