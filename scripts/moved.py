"""Programs under the names that they had before version 0.1 had shelves."""

import importlib
import sys


def run(module: str, command: str) -> None:
    """Names the new command, and runs the module that it runs."""
    print(f"{sys.argv[0].rsplit('/', 1)[-1]} has moved: use `{command}`.", file=sys.stderr)
    importlib.import_module(module).main()
