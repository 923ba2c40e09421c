"""Where the packages `common` and `scripts` are.

In a checkout they lie beside this package. A wheel must not put such general names into
site-packages, where they would collide with everybody's: there they lie in `noise2x/_root`, which
this puts first on the module search path. Every method package imports `noise2x` before anything
else, so that it works wherever it is imported from.
"""

import importlib.machinery
import pathlib
import sys

ROOT = pathlib.Path(__file__).parent / "_root"
CHECKOUT = pathlib.Path(__file__).parent.parent


def insert() -> None:
    """Makes `common` and `scripts` of this project importable.

    Raises:
        ImportError: another module named common was imported before.
    """
    root = ROOT if ROOT.is_dir() else CHECKOUT
    imported = sys.modules.get("common")
    if imported is not None:
        origin = pathlib.Path(
            getattr(imported, "__file__", None)
            or next(iter(getattr(imported, "__path__", [])), "unknown")
        )
        if origin.parent.parent.resolve() != root.resolve():
            raise ImportError(
                f"another module named `common` is imported already, from {origin}. One Python "
                "process can import only one: rename it, or use noise2x in a process of its own."
            )
        return
    spec = importlib.machinery.PathFinder.find_spec("common")
    if spec is None or not spec.origin or pathlib.Path(spec.origin).parent.parent != root:
        sys.path.insert(0, str(root))
