"""Exports the whole journal to a file that only its owner can read.

Prompts and replies are untrusted, and a spreadsheet evaluates a cell that begins like a formula: in CSV, such a text
gets an apostrophe before it. The other formats hold every text unchanged.
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
    """Writes all exchanges, in the format given by the suffix of the file's name.

    Raises:
        SettingsError: The file cannot be written.
    """
    try:
        if target.suffix.lower() in (".db", ".sqlite"):
            _copy(connection, target)
        else:
            _write_text(connection, target)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            f"the journal cannot be written to {target}: {database.reason(error)}. Choose another place."
        ) from None


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)


def _write_text(connection: sqlite3.Connection, target: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    write = _write_jsonl if target.suffix.lower() == ".jsonl" else _write_csv
    with os.fdopen(os.open(target, flags, 0o600), "w", encoding="utf-8", newline="") as file:
        write(file, queries.all_rows(connection))


def _write_jsonl(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write_csv(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    table = csv.writer(file)
    for number, row in enumerate(rows):
        if not number:
            table.writerow(row)
        table.writerow(map(_escape_formula, row.values()))


def _escape_formula(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
