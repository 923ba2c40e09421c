"""Restores files one by one: what is bad is named and left out, the others get done."""

import collections
import pathlib

import numpy as np

from common import images, noise_levels, prediction, stacks


def restore_files(
    denoiser,
    patterns,
    output,
    *,
    noise_level=None,
    with_std=False,
    axes=None,
    dtype="same",
    restore=prediction.restore,
    show=print,
):
    """Restores image files into a folder, under their names, in their size, axes and pixel sizes.

    Args:
        denoiser: `denoiser.Denoiser`.
        patterns: list of files, folders or globs.
        output: the folder; made if it is not there.
        noise_level: of the files, in the units of the noise string, for models that take it; None
            for that of the training.
        with_std: also NAME-std.tif, the predicted standard deviation.
        axes: letters for the axes of the files, see `stacks`; None for those of the training, or
            for what the files say.
        dtype: "same" or the name of a NumPy type; values keep the scale of the file, rounded and
            clipped for integers.
        restore: as prediction.restore.
        show: called with a line for each file.

    Raises:
        ValueError: nothing was done, for one file would be written over another, an input or a
            missing level; or, at the end, some files were bad.
    """
    config = denoiser.config
    if with_std and not denoiser.predicts_std:
        raise ValueError("std: this model does not predict it; ssdn_tf's blind-spot models do.")
    level = _given_level(config, noise_level)
    paths = [path for pattern in patterns for path in images.list_files(pattern)]
    jobs = [_job(path, pathlib.Path(output), with_std) for path in paths]

    def restore_image(noisy):
        given = {} if level is None else {"noise_level": level}
        return restore(denoiser, {"noisy": noisy} | given)

    def restore_file(path, target, std_target):
        stack = stacks.read(path, axes, usual=config.file_axes)
        return _restore_stack(denoiser, restore_image, stack, dtype, target, std_target)

    do_each(jobs, restore_file, show=show)


def do_each(jobs, restore, *, show=print):
    """Calls restore(input, *outputs) for each job, a tuple of paths; shows what it returns.

    Raises:
        ValueError: before anything is done, an output would replace an input or another output; or,
            at the end, some inputs were bad.
    """
    _check_targets(jobs)
    bad = 0
    for number, job in enumerate(jobs, start=1):
        try:
            said = restore(*job)
        except images.ImageError as error:
            bad += 1
            said = f"{error} Skipped."
        show(f"{number}/{len(jobs)} {said}")
    if bad:
        raise ValueError(f"{bad} of {len(jobs)} files could not be restored; they are named above.")


def _given_level(config, strength):
    """--noise_level in the string's units -> noise parameter, or None where none is needed.

    Raises:
        ValueError: out of range, for a model that has no use for it, or missing.
    """
    if strength is None:
        return noise_levels.trained(config.noise) if config.takes_level else None
    if not config.takes_level:
        raise ValueError("noise_level: this model does not take it; it estimates, or needs none.")
    noise = noise_levels.parse(config.noise)
    if not 0 < strength < (100 if noise.model == "impulse" else float("inf")):
        raise ValueError(f"noise_level={strength}: expected {noise_levels.MODELS[noise.model]}.")
    return noise.level(strength)


def _job(path, output, with_std):
    """(input, output, file of the standard deviation or None)."""
    target = output / path.name
    return path, target, target.with_name(f"{target.stem}-std.tif") if with_std else None


def _check_targets(jobs):
    """Refuses to write one file over another, or over an input."""
    inputs = {path.resolve() for path, *_ in jobs}
    written = collections.Counter(
        path.resolve() for job in jobs for path in job[1:] if path is not None
    )
    for path, count in written.items():
        if path in inputs:
            raise ValueError(f"{path}: an input, which would be lost; choose another --output.")
        if count > 1:
            raise ValueError(f"{path}: would be written {count} times; use two --output folders.")


def _restore_stack(denoiser, restore_image, stack, dtype, target, std_target):
    """Restores a file image by image; returns what to say about it."""
    config = denoiser.config
    items = stack.items(denoiser.spatial, config.channels)
    unscaled = items.dtype == np.float32 and not config.white_level
    if unscaled and (largest := np.abs(items).max()) > 4:
        raise images.ImageError(
            f"{stack.path}: values up to {largest:g}, expected about [0, 1]; "
            "train with --white_level."
        )
    white = images.white_level(items.dtype, config.white_level)
    stored = stack.metadata["dtype"]
    written = np.dtype(dtype if dtype != "same" else stored if stored.kind in "iu" else items.dtype)
    restored, std, levels = np.empty(items.shape, written), [], []
    for i, item in enumerate(items):
        result = restore_image(images.to_unit(item, white))
        if not np.isfinite(result["denoised"]).all():
            raise images.ImageError(f"{stack.path}: the model gives NaN; its training went wrong.")
        restored[i] = images.from_unit(result["denoised"], written, white)
        if "noise_std" in result:
            levels.append(float(result["noise_std"].mean()))
        if std_target:
            std.append(result["std"])
    stacks.write(target, stack, stack.like(restored))
    said = f"{stack.path} -> {target}"
    if levels and not config.takes_level:
        said += f"  estimated {_say_noise(config, float(np.mean(levels)))}"
    if std_target:
        images.write(std_target, np.stack(std))
        said += f"  std: {std_target}"
    return said


def _say_noise(config, noise_std):
    if config.noise_model == "impulse":
        return f"share of replaced pixels: {100 * noise_std * 2.55:.1f} %"
    return f"sigma: {255 * noise_std:.2f} (of 255)"
