"""Which files a folder, a glob or a name stands for; what of a folder is left out, and why."""

from __future__ import annotations

import collections
import importlib.util
import os
import pathlib
import typing

from common.files import atomic
from common.files.errors import ImageError
from common.files.image_files import HEIF, SUFFIXES, is_zarr

# Why files of other suffixes are left out, by suffix.
LEFT_OUT = {
    ".gif": "has a palette; save it as PNG",
    **dict.fromkeys(HEIF, "needs the extra `heif`"),
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2"),
        "raw data of a camera; develop it to a 16-bit TIFF first",
    ),
}


class Found(typing.NamedTuple):
    """An image file, and its path below the folder that was asked for; its name, if it was none."""

    path: pathlib.Path
    below: pathlib.Path


def found(pattern: str | pathlib.Path, recursive: bool = False) -> list[Found]:
    """The files of `list_files`; with `recursive` also those of a folder's sub-folders.

    Raises:
        ImageError: as `list_files`.
    """
    root = pathlib.Path(os.path.expanduser(pattern))
    if recursive and root.is_dir() and not is_zarr(root):
        paths = tree(root)
        if not paths:
            raise ImageError(f"{pattern}: no images in this folder and those below it.")
        return [Found(path, path.relative_to(root)) for path in paths]
    return [Found(path, pathlib.Path(path.name)) for path in list_files(pattern)]


def find_files(folder: str | pathlib.Path) -> list[pathlib.Path]:
    """List the files of a folder with the suffix of an image, and Zarr folders, sorted."""
    heif = HEIF if importlib.util.find_spec("pillow_heif") else ()
    paths = pathlib.Path(folder).iterdir()
    return sorted(
        p for p in paths if (p.suffix.lower() in (*SUFFIXES, *heif) and p.is_file()) or is_zarr(p)
    )


def left_out(pattern: str | pathlib.Path, recursive: bool = False) -> list[str]:
    """What of a folder is not restored, in lines: so many of a suffix, and why; [] for others.

    recursive: whether its sub-folders are taken in.
    """
    folder = pathlib.Path(os.path.expanduser(pattern))
    if not folder.is_dir() or is_zarr(folder):
        return []
    others: collections.Counter[str] = collections.Counter()
    folders = [path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path)]
    listed = set(find_files(folder))
    for path in folder.iterdir():
        if path.is_file() and path not in listed and not _is_hidden(path):
            others[path.suffix.lower() or "no suffix"] += 1
    lines = [
        f"{folder}: {count} with {suffix} left out: {LEFT_OUT.get(suffix, 'no image known here')}."
        for suffix, count in sorted(others.items())
    ]
    inner = [path for path in folders if not is_zarr(path)]
    if recursive:
        return lines + [line for path in sorted(inner) for line in left_out(path, True)]
    if inner:
        lines.append(f"{folder}: {len(inner)} sub-folders left out; --recursive takes them in.")
    return lines


def tree(folder: str | pathlib.Path) -> list[pathlib.Path]:
    """The image files of a folder and of its sub-folders, sorted folder by folder."""
    paths = find_files(folder)
    for inner in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir()):
        if not is_zarr(inner) and not _is_hidden(inner):
            paths += tree(inner)
    return paths


def _is_hidden(path):
    return path.name.startswith(".")


def list_files(pattern: str | pathlib.Path) -> list[pathlib.Path]:
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
            raise ImageError(f"{pattern}: no images in this folder ({', '.join(SUFFIXES)}).")
        return images
    if any(c in str(path) for c in "*?["):
        matches = atomic.glob(path)
        if matches:
            return matches
        raise ImageError(f"{pattern}: no file matches.")
    raise ImageError(f"{pattern}: no such file or folder.")
