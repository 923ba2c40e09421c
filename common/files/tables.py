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


def read_known(
    path: pathlib.Path, columns: Sequence[str], key: Sequence[str]
) -> dict[tuple[str, ...], dict[str, str]]:
    """The rows that an earlier run of a program has written: {values of some columns: row}.

    Args:
        path: of the file; if it is missing there are no rows.
        columns: names of all columns, in their order.
        key: those that identify a row.

    Raises:
        ValueError: the file has other columns.
    """
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(columns):
            raise ValueError(f"{path}: not a table of this program; choose another --output.")
        return {tuple(row[name] for name in key): row for row in reader}
