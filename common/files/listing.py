"""Which images a folder, a glob or a name stands for; what of a folder is left out, and why."""

from __future__ import annotations

import collections
import importlib.util
import os
import pathlib
import typing

from common.files import atomic, raws
from common.files.errors import ImageError
from common.files.image_files import SUFFIXES, is_zarr
from common.files.pictures import HEIF

# Why files of other suffixes are left out, by suffix.
LEFT_OUT = {
    ".gif": "few colours and maybe frames; save it as PNG",
    **dict.fromkeys(HEIF, "needs the extra `heif`"),
    **dict.fromkeys(raws.SUFFIXES, "raw data of a camera, which need the extra `raw`"),
}

Path = str | pathlib.Path

RESULT = "-denoised"  # what the names of results end in, beside their files
STD = "-std"  # and those of predicted standard deviations
MADE = (RESULT, STD, "-calibration", "-compared")  # endings of all that is made of a file


class ImagePath(typing.NamedTuple):
    """An image file.

    path: of the file.
    below: the same below the folder that was asked for; its name, if it was none.
    is_alone: whether no other file has this name with another suffix, see `marked`.
    folder: that was asked for; None if it was the file, or a glob.
    is_named: whether the file itself was asked for.
    """

    path: pathlib.Path
    below: pathlib.Path
    is_alone: bool = True
    folder: pathlib.Path | None = None
    is_named: bool = False

    def result(self, output: Path | None, suffix: str | None = None) -> pathlib.Path:
        """Where what is restored of it goes, under its name.

        Args:
            output: a folder. If None, beside what was asked for: photo.jpg gives
                photo-denoised.jpg, and scans/a.tif of the folder scans scans-denoised/a.tif.
            suffix: of the result, as ".tif"; that of the file if None. With a suffix the name of
                a file that is not alone has both.
        """
        ending = suffix or self.below.suffix
        name = self.below.name if suffix and not self.is_alone else self.below.stem
        if not suffix and name.lower().endswith(".ome"):  # by which other programs know the file
            name, ending = name[:-4], name[-4:] + ending
        if output is None and self.folder is None:
            return self.path.with_name(f"{name}{RESULT}{ending}")
        return self._output(output) / self.below.with_name(name + ending)

    def beside(self, output: Path | None, ending: str) -> pathlib.Path:
        """Where another file goes, that belongs to the result: photo-std.tif of photo.jpg."""
        name = (self.below.stem if self.is_alone else self.below.name) + ending
        if output is None and self.folder is None:
            return self.path.with_name(name)
        return self._output(output) / self.below.with_name(name)

    def _output(self, output):
        if output is not None:
            return pathlib.Path(output)
        folder = self.folder.resolve()
        return folder.parent / f"{folder.name or 'files'}{RESULT}"


def marked(files: list[ImagePath]) -> list[ImagePath]:
    """The files, `is_alone` set: what is made of each can have its name, or needs its suffix."""
    stems = collections.Counter(file.below.with_suffix("") for file in files)
    return [f._replace(is_alone=stems[f.below.with_suffix("")] == 1) for f in files]


def images_of(
    pattern: Path, *, recursive: bool = False, without: Path | None = None
) -> list[ImagePath]:
    """The files of `list_files`; with `recursive` also those of a folder's sub-folders.

    Sub-folders that are links, hidden or run folders are not entered.

    Args:
        pattern: file, folder or glob.
        recursive: whether to enter sub-folders.
        without: a sub-folder that is not entered, that of the results.

    Raises:
        ImageError: as `list_files`.
    """
    root = pathlib.Path(os.path.expanduser(pattern))
    if recursive and root.is_dir() and not is_zarr(root):
        paths = [path for folder in _folders(root, without) for path in find_files(folder)]
        if not paths:
            raise ImageError(
                _no_images(pattern, left_out(pattern, recursive=True, without=without))
            )
        return [ImagePath(path, path.relative_to(root), folder=root) for path in paths]
    folder = root if root.is_dir() and not is_zarr(root) else None
    files = list_files(pattern)
    named = root.is_file() or is_zarr(root)
    return [ImagePath(path, pathlib.Path(path.name), True, folder, named) for path in files]


def without_results(files: list[ImagePath]) -> list[ImagePath]:
    """Files without what an earlier run made of others among them, photo-denoised.jpg.

    Those that were named one by one stay.
    """
    known = {path for file in files for path in (file.path, file.path.with_suffix(""))}

    def is_result(path):
        stem = next((path.stem.removesuffix(e) for e in MADE if path.stem.endswith(e)), "")
        return bool(stem) and path.with_name(stem) in known

    return [file for file in files if file.is_named or not is_result(file.path)]


def left_out(pattern: Path, *, recursive: bool = False, without: Path | None = None) -> list[str]:
    """What of a folder `images_of` does not list, in lines: how many of a suffix, and why.

    Files and globs give no line.
    """
    root = pathlib.Path(os.path.expanduser(pattern))
    if not root.is_dir() or is_zarr(root):
        return []
    lines = []
    for folder in _folders(root, without) if recursive else [root]:
        listed = set(find_files(folder))
        others = collections.Counter(
            path.suffix.lower() or "no suffix"
            for path in folder.iterdir()
            if path.is_file() and path not in listed and not _is_hidden(path)
        )
        for suffix, count in sorted(others.items()):
            reason = LEFT_OUT.get(suffix, "no image known here")
            lines.append(f"{folder}: left out {_counted(count, f'{suffix} file')}: {reason}.")
    if not recursive and (inner := _inner(root, without)):
        lines.append(
            f"{root}: left out {_counted(len(inner), 'sub-folder')}; --recursive enters them."
        )
    return lines


def find_files(folder: Path) -> list[pathlib.Path]:
    """List the files of a folder with the suffix of an image, and Zarr folders, sorted."""
    return sorted(path for path in pathlib.Path(folder).iterdir() if is_image(path))


def is_image(path: pathlib.Path) -> bool:
    """Whether a path is a file with the suffix of an image, or a Zarr folder; no hidden one."""
    known = is_known(path.suffix.lower()) and path.is_file()
    return (known or is_zarr(path)) and not _is_hidden(path)


def list_files(pattern: Path) -> list[pathlib.Path]:
    """List the image files of a folder (not its sub-folders) or a glob, sorted, or a single file.

    Raises:
        ImageError: no such file or folder, or no image in it.
    """
    path = pathlib.Path(os.path.expanduser(pattern))
    if path.is_file() or is_zarr(path):
        return [path]
    if path.is_dir():
        images = find_files(path)
        if not images:
            raise ImageError(_no_images(pattern, left_out(pattern)))
        return images
    if any(c in str(path) for c in "*?["):
        matches = atomic.glob(path)
        if matches:
            return matches
        raise ImageError(f"{pattern}: no file matches.")
    raise ImageError(f"{pattern}: no such file or folder.")


def is_known(suffix: str) -> bool:
    """Whether files of a suffix can be read here: HEIF and raw data only with their extras."""
    if suffix in HEIF:
        return importlib.util.find_spec("pillow_heif") is not None
    return suffix in SUFFIXES or (suffix in raws.SUFFIXES and raws.is_installed())


def _no_images(pattern, lines):
    return " ".join([f"{pattern}: no images in this folder ({', '.join(SUFFIXES)}).", *lines])


def _folders(root, without):
    """A folder and those in it that are entered, one after the other."""
    yield root
    for inner in _inner(root, without):
        yield from _folders(inner, without)


def _inner(folder, without):
    """The sub-folders that are entered, sorted."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir()
        and not (path.is_symlink() or _is_hidden(path) or is_zarr(path))
        and not (path / "config.json").is_file()
        and not (path.name.endswith(RESULT) and (folder / path.name.removesuffix(RESULT)).is_dir())
        and not (without is not None and path.resolve() == pathlib.Path(without).resolve())
    )


def _is_hidden(path):
    return path.name.startswith(".")


def _counted(count, name):
    return f"{count} {name}{'s' * (count > 1)}"
