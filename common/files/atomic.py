"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob as _glob
import os
import pathlib
import shutil
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: str | pathlib.Path, *, size: int = 0) -> Iterator[pathlib.Path]:
    """Yield a temporary path beside `path`, with its endings; move it there on success.

    The folder is made if it is missing. After a failure, also a full disk, the old file is still
    there and the temporary one is gone.

    Args:
        path: of the file.
        size: bytes that are going to be written, where a library would fail without a clear word.

    Raises:
        OSError: names `path` if the disk is full.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if size > shutil.disk_usage(path.parent).free:
        raise _no_space(path)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())  # without it, a power cut may leave an empty file of this name
        os.replace(temporary, path)
    except OSError as error:
        # Libraries raise it without the name of the file; HDF5 puts the number into its text.
        full = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
        if error.errno in full or f"errno = {errno.ENOSPC}," in str(error):
            raise _no_space(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _no_space(path):
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@contextlib.contextmanager
def replacing_folder(path: str | pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a temporary path for a folder, as `replacing`; the caller makes the folder.

    An old folder at `path` is removed when the new one is complete.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def glob(pattern: str | pathlib.Path) -> list[pathlib.Path]:
    """List the files and Zarr folders that match a pattern, sorted; ** crosses folders."""
    matches = (pathlib.Path(p) for p in _glob.glob(str(pattern), recursive=True))
    return sorted(p for p in matches if p.is_file() or p.suffix.lower() == ".zarr")
