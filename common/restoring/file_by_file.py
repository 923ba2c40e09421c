"""Restoring files one by one: bad files are named and left out, the others are restored."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import typing
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from common import progress
from common.files import listing, metadata, pixels, raws, stacks
from common.files.errors import ImageError
from common.restoring import jobs, prediction, tiling

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser


TYPICAL = 0.25  # deviation of SSDN's results over that of noise of sigma 25


class Seen(typing.NamedTuple):
    """What a look at a file gives.

    noise: its estimate in words, for the line about the file, or "".
    doubt: a sentence on why the model may do badly on it, or "".
    explained: root mean square on [0, 1] by which restoring changes it if only noise goes.
    white: stored value that stands for 1.
    strength: that suits the file, where none is asked for.
    """

    noise: str = ""
    doubt: str = ""
    explained: float = float("inf")
    white: float = 1.0
    strength: float = 1.0


def restore_files(
    denoiser: Denoiser,
    patterns: Sequence[str],
    output: str | pathlib.Path | None,
    *,
    show: Callable[[str], typing.Any] = progress.say,
    **settings: typing.Any,
) -> None:
    """Restore image files into a folder.

    Args:
        denoiser, output, settings: as for `plan`.
        patterns: files, folders or globs.
        show: called with a line for each file.

    Raises:
        ValueError: before anything is done, one file would be written over another, or what `plan`
            raises; or, at the end, there were bad files.
    """
    files = listing.marked([f for pattern in patterns for f in listing.images_of(pattern)])
    todo, restore_file = plan(denoiser, files, output, show=show, **settings)
    jobs.do_each(todo, restore_file, show=show)


def plan(
    denoiser: Denoiser,
    files: Sequence[listing.ImagePath],
    output: str | pathlib.Path | None,
    *,
    noise_level: float | None = None,
    with_std: bool = False,
    axes: str | None = None,
    dtype: str = "same",
    restore: Callable[..., Mapping[str, np.ndarray]] = prediction.restore,
    tiles: Mapping[str, int | None] | None = None,
    max_bytes: int | None = None,
    look: Callable[[np.ndarray, float], Seen] | None = None,
    strict: bool = False,
    strength: float | None = 1.0,
    show: Callable[[str], typing.Any] = progress.say,
) -> tuple[list[jobs.Job], Callable[..., str]]:
    """The jobs that restore image files into a folder, and the function that does one of them.

    The results have the names, axes, sides and pixel sizes of the files. A denoiser that enlarges
    makes the sides `scale` times longer and the pixels as much smaller.

    Args:
        denoiser: the trained model.
        files: of `listing.marked`.
        output: the folder; made if it is missing. None: beside the files, see ImagePath.result.
        noise_level: level of the noise in the files, in the units of the noise string, for models
            that take it [that of the training; if that was a range, found for each image].
        with_std: also write NAME-std.tif, the predicted standard deviation.
        axes: letters for the axes of the files, see `stacks` [those that the files name, or those
            of the training].
        dtype: "same" or the name of a NumPy type. Values keep the scale of the file; integers are
            rounded and clipped.
        restore: restores an image, as prediction.restore.
        tiles: settings of a tiling.Grid [images are restored whole].
        max_bytes: larger files are read and written in parts [none is].
        look: called with the middle of a file's first image, (H, W, C) as stored, and the value
            that stands for 1. What it sees is compared with the model, and with the result.
        strict: leave out a file about which there is a doubt.
        strength: 0 leaves images as they are, 1 gives the model's result, more exaggerates it;
            below 1, models that predict their uncertainty give more of it where they are sure. None
            for what `look` finds suitable.
        show: called with a line for each file.

    Raises:
        ValueError: the noise level is missing or of no use, or the model has no deviation.
    """
    config = denoiser.config
    if max_bytes:
        max_bytes //= denoiser.scale**2  # the larger result counts too
    if with_std and not denoiser.predicts_std:
        raise ValueError("std: this model does not predict it; ssdn_tf's blind-spot models do.")
    if strength not in (1.0, None) and denoiser.scale != 1:
        raise ValueError("strength: a model that enlarges has nothing to mix its result with.")
    level = noise_parameter(denoiser, noise_level)
    todo = _jobs(files, output, with_std)

    def restore_file(path, target, std_target):
        stack = stacks.read(path, axes, usual=config.file_axes, max_bytes=max_bytes)
        seen = Seen() if look is None else _looked_at(stack, denoiser, look)
        if seen.doubt:
            if strict:
                raise ImageError(f"{path}: {seen.doubt}")
            show(f"Careful: {path}: {seen.doubt}")
        taken = seen.strength if strength is None else strength
        changes = []  # mean squares, of the parts of the file

        def restore_image(noisy, level):
            given = {} if level is None else {"noise_level": level}
            result = restore(denoiser, {"noisy": noisy, **given}, **(tiles or {}))
            if denoiser.scale == 1 and (look is not None or taken != 1.0):
                change = result["denoised"] - noisy
                changes.append(float(np.vdot(change, change)) / change.size)
                if taken != 1.0:
                    weight = _weight(taken, result)
                    result = {**result, "denoised": noisy + weight * change}
            return result

        line = _restore_stack(
            denoiser, restore_image, stack, level, dtype, tiles, target, std_target, show
        )
        change = float(np.mean(changes or 0.0)) ** 0.5
        if strength is None:
            change *= taken
        if change > seen.explained and not seen.doubt:
            white = seen.white
            show(
                f"Careful: {path}: restoring changed it by {change * white:.3g}, more than the "
                f"{seen.explained * white:.3g} that its noise explains; compare the two."
            )
        return f"{line}  noise found: {seen.noise}" if seen.noise else line

    return todo, restore_file


def _weight(strength, result):
    """How much of a result to take, between the noisy image (0) and the result (1) or beyond.

    A model that is sure of a pixel has its way there even at a low strength. Where its deviation is
    TYPICAL of that of the noise, as it is on average, the weight is the strength.
    """
    if not 0 < strength < 1 or "std" not in result or "noise_std" not in result:
        return np.float32(strength)
    unsure = result["std"] / np.maximum(result["noise_std"], 1e-6) / TYPICAL
    return np.float32(strength) ** np.minimum(unsure, 2.0)


def _looked_at(stack, denoiser, look):
    """What `look` says of the middle of a stack's first image."""
    view = stack.view(denoiser.spatial, denoiser.config.channels)
    image = view.read(0, view.middle())
    white = pixels.white_level(view.dtype, denoiser.config.white_level)
    return look(image if image.ndim == 3 else image[0], white)


def by_channels(
    files: Sequence[listing.ImagePath], known: Sequence[int], axes: str | None
) -> dict[int, list[listing.ImagePath]]:
    """Sort files by the number of channels, of those known, that they can be read with.

    Args:
        files: of `listing.images_of`.
        known: numbers of channels, the first that fits is taken. A file that fits none, or can't be
            read, comes to the last, whose model will say what is wrong with it.
        axes: letters for the axes of the files [those that the files name].

    Returns:
        {channels: files}, of those channels that there are files of.
    """
    grouped: dict[int, list[listing.ImagePath]] = {}
    for file in files:
        fitting = known[-1]
        with contextlib.suppress(ImageError):
            stack = stacks.read(file.path, axes, max_bytes=1)
            fitting = stack.channels_among(known) or fitting
        grouped.setdefault(fitting, []).append(file)
    return grouped


def noise_parameter(denoiser: Denoiser, strength: float | None) -> float | None:
    """The noise parameter that a model is run with.

    Args:
        denoiser: the model.
        strength: level of the noise in the units of the noise string; None for that of the
            training.

    Returns:
        sigma on [0, 1], lambda, or a share; None for a model that needs none, or finds it.

    Raises:
        ValueError: the level is out of range, missing, or not used by this model.
    """
    noise = denoiser.config.noise
    if strength is None:
        needed = denoiser.takes_level and not denoiser.looks_for_level
        return noise.fixed_level() if needed else None
    if not denoiser.takes_level:
        raise ValueError(
            "noise_level: this model does not take it; it estimates the level, or needs none."
        )
    if not 0 < strength < noise.MAX:
        raise ValueError(f"noise_level={strength}: expected {noise.UNIT}.")
    return noise.level(strength)


def found_level(view: stacks.View, number: int, denoiser: Denoiser) -> float:
    """The noise parameter that a model finds in the middle of an image of a file."""
    white = pixels.white_level(view.dtype, denoiser.config.white_level)
    return denoiser.find_level(pixels.to_unit(view.read(number, view.middle()), white))


def _jobs(files, output, with_std):
    """A list of (input, output, file of the standard deviation or None); raw data become TIFF."""
    jobs = []
    for file in files:
        is_raw = file.path.suffix.lower() in raws.SUFFIXES
        std = file.beside(output, f"{listing.STD}.tif") if with_std else None
        jobs.append((file.path, file.result(output, ".tif" if is_raw else None), std))
    return jobs


def _restore_stack(denoiser, restore, stack, level, dtype, tiles, target, std_target, show):
    """Restore a file part by part; return a line about it.

    level: noise parameter, or None.
    tiles: settings of a tiling.Grid; None restores images whole.
    """
    config = denoiser.config
    view = stack.view(denoiser.spatial, config.channels)
    white = pixels.white_level(view.dtype, config.white_level)
    written = written_type(dtype, stack, view)
    whole = tuple(slice(0, side) for side in view.sides)
    grid = None
    if tiles is not None and denoiser.TILES:
        # Parts are as large as memory allows. If smaller tiles are asked for, `restore` cuts each
        # part into them.
        limits = {name: tiles.get(name) for name in ("max_pixels", "halo")}
        grid = tiling.Grid(denoiser, view.sides, **limits)
    parts = [None] if grid is None else grid.tiles
    levels, found = [], []
    with contextlib.ExitStack() as outputs:
        steps = outputs.enter_context(
            progress.Progress(view.count * len(parts), str(stack.path), unit="part", show=show)
        )
        in_file = not isinstance(stack.array, np.ndarray)
        enlarged = stack.enlarged(denoiser.scale)
        restored = outputs.enter_context(stacks.writing(target, enlarged, written, in_file))
        std = None
        if std_target:
            like = _plain_stack(stack, view)
            std_view = like.view(denoiser.spatial, view.channels)
            std = outputs.enter_context(stacks.writing(std_target, like, np.float32, in_file))
        for number in range(view.count):
            if denoiser.looks_for_level and level is None:
                found.append(found_level(view, number, denoiser))
            own = found[-1] if found else level
            for part in parts:
                read = functools.partial(read_unit, stack, view, number, white, config)
                if grid is None:
                    region, inner = whole, whole
                    result = restore(read(whole), own)
                else:
                    region, inner = grid.core(part)
                    result = restore(grid.read(part, read), own)
                values = result["denoised"][pixels.scaled(inner, denoiser.scale)]
                values = to_stored(values, written, white, stack.path)
                view.write(restored, number, region, values, denoiser.scale)
                if std is not None:
                    std_view.write(std, number, region, result["std"][inner])
                if "noise_std" in result:
                    levels.append(float(result["noise_std"].mean()))
                steps.step()
    line = f"{stack.path} -> {target}"
    if found:
        mean = float(np.mean(found)) * config.noise.SCALE
        line += f"  noise level found: {mean:.3g} ({config.noise.UNIT})"
    elif levels and not denoiser.takes_level:
        line += f"  estimated {config.noise.describe_estimate(float(np.mean(levels)))}"
        if config.estimates_once:
            line += " in the training, one number for all files"
    if std_target:
        line += f"  std: {std_target}"
    return line


def written_type(dtype: str, stack: stacks.Stack, view: stacks.View) -> np.dtype:
    """The type in which restored values are written.

    dtype: name of a NumPy type, or "same" for that of the file (float32 for all floats). Raw data
    of a camera are float32 until they are developed.
    """
    if stack.metadata.raw is not None:
        return view.dtype
    stored = stack.metadata.dtype
    if dtype != "same":
        return np.dtype(dtype)
    return stored if stored is not None and stored.kind in "iu" else view.dtype


def to_stored(
    denoised: np.ndarray, dtype: np.dtype, white: float, path: str | pathlib.Path
) -> np.ndarray:
    """Convert restored values to the scale and the type of a file.

    Args:
        denoised: restored values on [0, 1].
        dtype: type to write.
        white: stored value that stands for 1, see pixels.white_level.
        path: the file, for the message.

    Raises:
        ImageError: NaN or infinite values.
    """
    if not np.isfinite(denoised).all():
        raise ImageError(f"{path}: the model returns NaN; its training went wrong.")
    return pixels.from_unit(denoised, dtype, white)


def _plain_stack(stack, view):
    """A stack without values that holds the images of a view alone, one after the other."""
    shape = (view.count,) * (view.count > 1) + view.sides + (view.channels,) * (view.channels > 1)
    axes = "Q" * (view.count > 1) + "ZYX"[-len(view.sides) :] + "S" * (view.channels > 1)
    blank = np.broadcast_to(np.float32(0), shape)
    kept = metadata.Metadata(
        axes=axes,
        resolution=stack.metadata.resolution,
        resolution_unit=stack.metadata.resolution_unit,
    )
    return stacks.Stack(stack.path, blank, axes, kept)


def read_unit(
    stack: stacks.Stack,
    view: stacks.View,
    number: int,
    white: float,
    config: typing.Any,
    region: tuple[slice, ...],
) -> np.ndarray:
    """Read a part of an image, (H, W, C) or (D, H, W, C) float32, divided by its white level.

    Args:
        stack, view: the file and its images.
        number: of the image in the view.
        white: stored value that stands for 1, see pixels.white_level.
        config: configuration of the model.
        region: slices of the sides of the image.

    Raises:
        ImageError: a float file with values far beyond [0, 1].
    """
    part = view.read(number, region)
    unscaled = part.dtype == np.float32 and not config.white_level
    if unscaled and (largest := np.abs(part).max()) > pixels.MAX_FLOAT:
        raise ImageError(
            f"{stack.path}: values up to {largest:g}, expected about [0, 1]; "
            "train with --white_level."
        )
    return pixels.to_unit(part, white)
