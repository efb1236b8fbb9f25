"""Permanent deletion: of rows, index entries, attachments, and the pages of the file that held them."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, time, timedelta, timezone

from ..errors import CellError


def parse_moment(before: object) -> str:
    """Converts a day, a time, or an age to a moment in ISO 8601, UTC.

    Raises:
        CellError: `before` is none of these.
    """
    try:
        if isinstance(before, timedelta):
            return utc(datetime.now(timezone.utc) - before)
        if isinstance(before, datetime):
            return utc(before.astimezone())
        if isinstance(before, date):
            return utc(datetime.combine(before, time()).astimezone())
        return utc(datetime.fromisoformat(str(before)).astimezone())
    except (ValueError, OverflowError):
        raise CellError(f"before={before!r} is not a day. Write it as '2026-11-20'. Nothing was deleted.") from None


def utc(when: datetime) -> str:
    """A moment in the form of the journal, which sorts as text."""
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def delete(connection: sqlite3.Connection, where: str, value: object) -> int:
    """Deletes the exchanges for which the condition `where` holds, and returns their number."""
    count = connection.execute(f"delete from exchange where {where}", (value,)).rowcount  # noqa: S608
    if where.startswith("began"):  # with the requests of batches; an id is one of an exchange
        connection.execute(f"delete from batch where {where}", (value,))  # noqa: S608
    connection.execute("delete from attachment where digest not in (select digest from exchange_attachment)")
    connection.execute("insert into words (words) values ('rebuild')")
    return count


def wipe(connection: sqlite3.Connection) -> None:
    """Rewrites the file without the deleted data, and empties the write-ahead log.

    Raises:
        sqlite3.OperationalError: Another process reads the file, so the deleted data is still on the disk.
    """
    connection.execute("vacuum")
    (busy, *_) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    if busy:
        raise sqlite3.OperationalError("it is deleted, but still on the disk, because another process reads the file")
