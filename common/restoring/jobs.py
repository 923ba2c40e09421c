"""A job for each file: what is bad is named and left out, the others get done."""

import collections

from common.files.errors import ImageError


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
        except ImageError as error:
            bad += 1
            said = f"{error} Skipped."
        show(f"{number}/{len(jobs)} {said}")
    if bad:
        raise ValueError(f"{bad} of {len(jobs)} files could not be restored; they are named above.")


def _check_targets(jobs):
    """Refuses to write one file over another, over an input, into it or around it."""
    inputs = {path.resolve() for path, *_ in jobs}
    written = collections.Counter(
        path.resolve() for job in jobs for path in job[1:] if path is not None
    )
    folders = {path for path in inputs if path.is_dir()}  # Zarr
    for path, count in written.items():
        if path in inputs or any(f in path.parents or path in f.parents for f in folders):
            raise ValueError(f"{path}: an input, which would be lost; choose another --output.")
        if count > 1:
            raise ValueError(f"{path}: would be written {count} times; use two --output folders.")
