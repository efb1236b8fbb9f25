"""Uploaded files in the journal: which content has which id, so that it is sent once.

An id is of one endpoint and one account: another key may belong to a workspace that does not have the file. With the
exchange that uploaded it, a row is deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ..errors import SettingsError
from . import database

if TYPE_CHECKING:
    from .journal import Journal

_MOST = 5  # uploads of one content that are looked at


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was uploaded.

    Attributes:
        digest: SHA-256 of its content, in hexadecimal.
        endpoint: The base URL of the API.
        account: Tells keys apart without holding one; `""` if there was none.
        uploaded: In ISO 8601, UTC.
        expires: As the API gave it; `""` for never.
        exchange_id: Of the exchange that uploaded it; `None` if it is not in the journal.
    """

    digest: str
    endpoint: str
    account: str
    file_id: str
    filename: str
    media_type: str
    uploaded: str
    expires: str = ""
    exchange_id: int | None = None


_COLUMNS = tuple(each.name for each in fields(Upload))


def find_uploads(journal: Journal, digest: str, endpoint: str, account: str) -> list[Upload]:
    """The uploads of a content, the newest first.

    Raises:
        SettingsError: The journal cannot be read.
    """
    statement = (
        f"select {', '.join(_COLUMNS)} from upload where digest = ? and endpoint = ? and account = ? "  # noqa: S608
        "order by id desc limit ?"
    )
    with journal.reading() as connection:
        rows = connection.execute(statement, (digest, endpoint, account, _MOST)).fetchall()
    return [Upload(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def media_type_of(journal: Journal, file_id: str, endpoint: str) -> str:
    """The media type of a file that was uploaded from here; `""` if it was not.

    Raises:
        SettingsError: The journal cannot be read.
    """
    statement = "select media_type from upload where file_id = ? and endpoint = ? limit 1"
    with journal.reading() as connection:
        row = connection.execute(statement, (file_id, endpoint)).fetchone()
    return str(row[0]) if row else ""


def add_upload(journal: Journal, upload: Upload) -> str:
    """Keep an upload; returns why that failed, or `""`."""
    columns = vars(upload)
    names = ", ".join(columns)

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(
            f"insert into upload ({names}) values ({', '.join('?' * len(columns))})",  # noqa: S608  names are ours
            list(columns.values()),
        )

    return _write(journal, write)


def forget_upload(journal: Journal, file_id: str, endpoint: str) -> str:
    """Forget a file that is not there any more; returns why that failed, or `""`."""

    def write(connection: sqlite3.Connection) -> None:
        connection.execute("delete from upload where file_id = ? and endpoint = ?", (file_id, endpoint))

    return _write(journal, write)


def _write(journal: Journal, write: Callable[[sqlite3.Connection], None]) -> str:
    try:
        journal.writer.run(write)
    except (sqlite3.Error, OSError, SettingsError) as error:
        return str(error) if isinstance(error, SettingsError) else database.reason(error)
    return ""
