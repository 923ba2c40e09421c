"""One job for each file: bad files are named and left out, the others are restored."""

from __future__ import annotations

import collections
import pathlib
import typing
from collections.abc import Callable, Sequence

from common.files.errors import ImageError

# Input, output, further outputs; None for an output that is not wanted.
Job = tuple[pathlib.Path | None, ...]


def do_each(
    jobs: Sequence[Job],
    restore: Callable[..., str],
    *,
    show: Callable[[str], typing.Any] = print,
    kept: Sequence[pathlib.Path] = (),
) -> None:
    """Call restore(input, *outputs) for each job and show the line that it returns.

    Args:
        jobs: paths of an input and of what is made from it.
        restore: raises ImageError for a bad input, which is then shown and skipped.
        show: called with one line for each job.
        kept: other files that no output may replace.

    Raises:
        ValueError: before anything is done, an output would replace an input or another output; or,
            at the end, there were bad inputs.
    """
    check_targets(jobs, kept)
    bad = 0
    for number, job in enumerate(jobs, start=1):
        try:
            line = restore(*job)
        except ImageError as error:
            bad += 1
            line = f"{error} Skipped."
        show(f"{number}/{len(jobs)} {line}")
    if bad:
        raise ValueError(f"{bad} of {len(jobs)} files could not be restored; they are named above.")


def check_targets(jobs: Sequence[Job], kept: Sequence[pathlib.Path] = ()) -> None:
    """Refuse to write one file over another, or over, into or around an input or a `kept` file.

    Raises:
        ValueError: names the file.
    """
    inputs = {path.resolve() for path in [*(job[0] for job in jobs), *kept] if path is not None}
    written = collections.Counter(
        path.resolve() for job in jobs for path in job[1:] if path is not None
    )
    folders = {path for path in inputs if path.is_dir()}  # Zarr
    for path, count in written.items():
        if path in inputs or any(f in path.parents or path in f.parents for f in folders):
            raise ValueError(f"{path}: an input, which would be lost; choose another --output.")
        if count > 1:
            raise ValueError(f"{path}: would be written {count} times; use two --output folders.")
