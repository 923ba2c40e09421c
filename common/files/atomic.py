"""Files that are written whole or not at all."""

import contextlib
import glob as _glob
import os
import pathlib
import shutil


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path beside `path`, with its endings; moves it there on success.

    The folder is made if missing. After a failure, also a full disk, the old file is still there
    and the temporary one is gone.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())  # or a power cut leaves the new name with nothing in it
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path):
    """The same for a folder, which the caller makes; an old one goes when the new one is ready."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def glob(pattern):
    """Files that match, and Zarr folders, sorted; ** crosses folders."""
    found = (pathlib.Path(p) for p in _glob.glob(str(pattern), recursive=True))
    return sorted(p for p in found if p.is_file() or p.suffix.lower() == ".zarr")
