"""Models that come with the project: run folders whose weights have 16 bits, found by name.

Each is a folder here: config.json, with the hash of the weights; weights.npz, see `halves`;
card.json, what the model is for, how it was trained and what it reaches. `scripts.tools.ship`
makes them.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import pathlib
import typing

FOLDER = pathlib.Path(__file__).parent


def names(*, same_size: bool = False) -> list[str]:
    """The names of the models.

    Args:
        same_size: only of those that restore images, and do not enlarge them.
    """
    found = sorted(path.parent.name for path in FOLDER.glob("*/config.json"))
    return [name for name in found if not (same_size and _scale(name) > 1)]


def _scale(name):
    """The factor by which a model enlarges images."""
    content = json.loads((FOLDER / name / "config.json").read_text())
    return content["config"].get("scale", 1)


def folder(name: str) -> pathlib.Path:
    """The folder of a model."""
    return FOLDER / name


def card(name: str) -> dict[str, typing.Any]:
    """What is known of a model, see card.json."""
    return json.loads((FOLDER / name / "card.json").read_text())


def hint(wrong: str) -> str:
    """What a wrong name may have meant, a sentence after a space; empty if no name is like it."""
    close = difflib.get_close_matches(wrong, names(), n=1)
    close = close or [name for name in names() if wrong and name.startswith(wrong)]
    return f" Did you mean the model {' or '.join(close)}?" if close else ""


def digest(path: pathlib.Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
