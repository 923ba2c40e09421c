"""Tables as CSV files."""

from __future__ import annotations

import csv
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from common.files import atomic


def write(
    path: str | pathlib.Path,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
) -> None:
    """Write rows as a CSV file, whole or not at all.

    Args:
        path: of the file.
        rows: of the table, {column: value}; a value that a row lacks stays empty.
        columns: in their order [those of all rows, as they first appear].
    """
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    with atomic.replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
