"""Models that come with the project: run folders whose weights have 16 bits, found by name.

Each is a folder here: config.json, with the hash of the weights; weights.npz, float16; card.json,
what the model is for, how it was trained and what it reaches. `scripts.tools.ship` makes them.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import typing

FOLDER = pathlib.Path(__file__).parent


def names() -> list[str]:
    """The names of the models."""
    return sorted(path.parent.name for path in FOLDER.glob("*/config.json"))


def folder(name: str) -> pathlib.Path:
    """The folder of a model."""
    return FOLDER / name


def card(name: str) -> dict[str, typing.Any]:
    """What is known of a model, see card.json."""
    return json.loads((FOLDER / name / "card.json").read_text())


def digest(path: pathlib.Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
