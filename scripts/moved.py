"""Runs programs under their old names, from the time when scripts/ had no sub-folders."""

import importlib
import sys


def run(module: str, command: str) -> None:
    """Tells the user the new command, and runs its module."""
    print(f"{sys.argv[0].rsplit('/', 1)[-1]} has moved: use `{command}`.", file=sys.stderr)
    importlib.import_module(module).main()
