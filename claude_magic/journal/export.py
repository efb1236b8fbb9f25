"""All of the journal in a file of its own, that only its owner can read.

Questions and replies are untrusted, and a spreadsheet computes a cell that begins like a formula: in CSV a
text that does so has an apostrophe before it. The other kinds hold every text as it is.
Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

from ..errors import SettingsError
from . import database, queries

KINDS = (".jsonl", ".csv", ".db", ".sqlite")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def export(connection: sqlite3.Connection, target: Path) -> None:
    """Write all exchanges, in the form that the name of the file ends in.

    Raises:
        SettingsError: The file cannot be written.
    """
    try:
        if target.suffix.lower() in (".db", ".sqlite"):
            _copy(connection, target)
        else:
            _text(connection, target)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            f"the journal cannot be written to {target}: {database.reason(error)}. Choose another place."
        ) from None


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)


def _text(connection: sqlite3.Connection, target: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    write = _lines if target.suffix.lower() == ".jsonl" else _table
    with os.fdopen(os.open(target, flags, 0o600), "w", encoding="utf-8", newline="") as file:
        write(file, queries.columns_of(connection))


def _lines(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _table(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    table = csv.writer(file)
    for number, row in enumerate(rows):
        if not number:
            table.writerow(row)
        table.writerow(map(_harmless, row.values()))


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
