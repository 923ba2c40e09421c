"""One training in a run folder at a time."""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import socket
from collections.abc import Iterator

from common.training.runs import RunError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = ".lock"


@contextlib.contextmanager
def held(run_dir: str | pathlib.Path, doing: str = "training in it") -> Iterator[None]:
    """Holds the lock of a run folder, which is made if it is missing.

    The operating system drops it when the process ends, by `kill -9` too. It holds between machines
    where the file system has locks (NFS from version 3 on); where it has none, and on Windows,
    nothing is locked.

    Args:
        run_dir: the folder.
        doing: what another process that holds it is doing, for the message.

    Raises:
        RunError: another process holds it; says which.
    """
    path = pathlib.Path(run_dir) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            ours = False
        except OSError:  # a file system without locks
            yield
            return
        if not ours:  # or its last holder has just taken it away
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise RunError(f"{run_dir}: {holder} is {doing}; wait, or stop that.")
        began = datetime.datetime.now().isoformat(" ", "minutes")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {began},\n")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
