"""Restores files one by one: what is bad is named and left out, the others get done."""

import contextlib
import functools
import pathlib

import numpy as np

from common import images, jobs, noise_levels, prediction, progress, stacks


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
    """Restores image files into a folder, under their names, in their axes, pixel sizes and size.

    Those of a denoiser that enlarges have as many times smaller pixels.

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
        tiles: settings of a prediction.Grid; None: images are restored whole.
        max_bytes: larger files are read and written in parts; None: none are.
        show: called with a line for each file.

    Raises:
        ValueError: nothing was done, for one file would be written over another, an input or a
            missing level; or, at the end, some files were bad.
    """
    config = denoiser.config
    if max_bytes:
        max_bytes //= denoiser.scale**2  # what is written counts too
    if with_std and not denoiser.predicts_std:
        raise ValueError("std: this model does not predict it; ssdn_tf's blind-spot models do.")
    level = given_level(config, noise_level)
    paths = [path for pattern in patterns for path in images.list_files(pattern)]
    todo = [_job(path, pathlib.Path(output), with_std) for path in paths]

    def restore_image(noisy):
        given = {} if level is None else {"noise_level": level}
        return restore(denoiser, {"noisy": noisy} | given, **(tiles or {}))

    def restore_file(path, target, std_target):
        stack = stacks.read(path, axes, usual=config.file_axes, max_bytes=max_bytes)
        return _restore_stack(
            denoiser, restore_image, stack, dtype, tiles, target, std_target, show
        )

    jobs.do_each(todo, restore_file, show=show)


def given_level(config, strength):
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


def _restore_stack(denoiser, restore, stack, dtype, tiles, target, std_target, show):
    """Restores a file part by part; returns what to say about it.

    tiles: None restores images whole.
    """
    config = denoiser.config
    view = stack.view(denoiser.spatial, config.channels)
    white = images.white_level(view.dtype, config.white_level)
    written = written_type(dtype, stack, view)
    everything = tuple(slice(0, side) for side in view.sides)
    grid = None
    if tiles is not None and denoiser.TILES:
        # As large as memory allows; where tiles are to be smaller, `restore` makes them of a part.
        limits = {name: tiles.get(name) for name in ("max_pixels", "halo")}
        grid = prediction.Grid(denoiser, view.sides, **limits)
    parts = [None] if grid is None else grid.tiles
    steps = progress.Progress(view.count * len(parts), f"{stack.path}: ", what="part", show=show)
    levels = []
    with contextlib.ExitStack() as outputs:
        in_file = not isinstance(stack.array, np.ndarray)
        enlarged = stack.enlarged(denoiser.scale)
        restored = outputs.enter_context(stacks.writing(target, enlarged, written, in_file))
        std = None
        if std_target:
            like = _plain_stack(stack, view)
            std_view = like.view(denoiser.spatial, view.channels)
            std = outputs.enter_context(stacks.writing(std_target, like, np.float32, in_file))
        for number in range(view.count):
            for part in parts:
                read = functools.partial(read_unit, stack, view, number, white, config)
                if grid is None:
                    region, inner = everything, everything
                    result = restore(read(everything))
                else:
                    region, inner = grid.core(part)
                    result = restore(grid.read(part, read))
                inner_of_result = images.scaled(inner, denoiser.scale)
                values = result["denoised"][inner_of_result]
                values = to_stored(values, written, white, stack.path)
                view.write(restored, number, region, values, denoiser.scale)
                if std is not None:
                    std_view.write(std, number, region, result["std"][inner])
                if "noise_std" in result:
                    levels.append(float(result["noise_std"].mean()))
                steps.step()
    said = f"{stack.path} -> {target}"
    if levels and not config.takes_level:
        said += f"  estimated {_say_noise(config, float(np.mean(levels)))}"
    if std_target:
        said += f"  std: {std_target}"
    return said


def written_type(dtype, stack, view):
    """The type of restored values: a name, or "same" for that of the file, float32 for floats."""
    stored = stack.metadata["dtype"]
    return np.dtype(dtype if dtype != "same" else stored if stored.kind in "iu" else view.dtype)


def to_stored(denoised, dtype, white, path):
    """Restored values on the scale and in the type of a file. Raises images.ImageError for NaN."""
    if not np.isfinite(denoised).all():
        raise images.ImageError(f"{path}: the model gives NaN; its training went wrong.")
    return images.from_unit(denoised, dtype, white)


def _plain_stack(stack, view):
    """A stack of the images of a view alone, one after the other; it has no values."""
    shape = (view.count,) * (view.count > 1) + view.sides + (view.channels,) * (view.channels > 1)
    axes = "Q" * (view.count > 1) + "ZYX"[-len(view.sides) :] + "S" * (view.channels > 1)
    kept = {k: v for k, v in stack.metadata.items() if k.startswith("resolution")}
    nothing = np.broadcast_to(np.float32(0), shape)
    return stacks.Stack(stack.path, nothing, axes, kept | {"axes": axes})


def read_unit(stack, view, number, white, config, region):
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
