"""Restores files one by one: what is bad is named and left out, the others get done."""

import collections
import contextlib
import functools
import pathlib

import numpy as np

from common import images, noise_levels, prediction, progress, stacks


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
    tiles=None,
    max_bytes=None,
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
        tiles: settings of a prediction.Grid.
        max_bytes: larger files are read and written in parts; None: none are.
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

    tiles = tiles or {}

    def restore_image(noisy):
        given = {} if level is None else {"noise_level": level}
        return restore(denoiser, {"noisy": noisy} | given, **tiles)

    def restore_file(path, target, std_target):
        stack = stacks.read(path, axes, usual=config.file_axes, max_bytes=max_bytes)
        return _restore_stack(
            denoiser, restore_image, stack, dtype, tiles, target, std_target, show
        )

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


def _restore_stack(denoiser, restore, stack, dtype, tiles, target, std_target, show):
    """Restores a file image by image, or part by part; returns what to say about it."""
    config = denoiser.config
    view = stack.view(denoiser.spatial, config.channels)
    white = images.white_level(view.dtype, config.white_level)
    stored = stack.metadata["dtype"]
    written = np.dtype(dtype if dtype != "same" else stored if stored.kind in "iu" else view.dtype)
    in_memory = isinstance(stack.array, np.ndarray) or not denoiser.TILES
    # Of one in memory `restore` itself makes the tiles.
    grid = None if in_memory else prediction.Grid(denoiser, view.sides, **tiles)
    parts = [None] if grid is None else grid.tiles
    steps = progress.Progress(view.count * len(parts), f"{stack.path}: part ", what="", show=show)
    levels = []
    with contextlib.ExitStack() as outputs:
        restored = outputs.enter_context(stacks.writing(target, stack, written))
        std = None
        if std_target:
            like = _plain_stack(stack, view)
            std_view = like.view(denoiser.spatial, view.channels)
            in_file = grid is not None
            std = outputs.enter_context(stacks.writing(std_target, like, np.float32, in_file))
        for number in range(view.count):
            for part in parts:
                read = functools.partial(_read_unit, stack, view, number, white, config)
                if grid is None:
                    whole = inner = tuple(slice(0, side) for side in view.sides)
                    result = restore(read(whole))
                else:
                    result = restore(grid.read(part, read))
                    whole, inner = grid.core(part)
                denoised = result["denoised"][inner]
                if not np.isfinite(denoised).all():
                    raise images.ImageError(
                        f"{stack.path}: the model gives NaN; its training went wrong."
                    )
                values = images.from_unit(denoised, written, white)
                view.write(restored, number, whole, values)
                if std is not None:
                    std_view.write(std, number, whole, result["std"][inner])
                if "noise_std" in result:
                    levels.append(float(result["noise_std"].mean()))
                steps.step()
    said = f"{stack.path} -> {target}"
    if levels and not config.takes_level:
        said += f"  estimated {_say_noise(config, float(np.mean(levels)))}"
    if std_target:
        said += f"  std: {std_target}"
    return said


def _plain_stack(stack, view):
    """A stack of the images of a view alone, one after the other; it has no values."""
    shape = (view.count,) * (view.count > 1) + view.sides + (view.channels,) * (view.channels > 1)
    axes = "Q" * (view.count > 1) + "ZYX"[-len(view.sides) :] + "S" * (view.channels > 1)
    kept = {k: v for k, v in stack.metadata.items() if k.startswith("resolution")}
    nothing = np.broadcast_to(np.float32(0), shape)
    return stacks.Stack(stack.path, nothing, axes, kept | {"axes": axes})


def _read_unit(stack, view, number, white, config, region):
    """Part of an image, float32 by its white level."""
    found = view.read(number, region)
    unscaled = found.dtype == np.float32 and not config.white_level
    if unscaled and (largest := np.abs(found).max()) > 4:
        raise images.ImageError(
            f"{stack.path}: values up to {largest:g}, expected about [0, 1]; "
            "train with --white_level."
        )
    return images.to_unit(found, white)


def _say_noise(config, noise_std):
    if config.noise_model == "impulse":
        return f"share of replaced pixels: {100 * noise_std * 2.55:.1f} %"
    return f"sigma: {255 * noise_std:.2f} (of 255)"
