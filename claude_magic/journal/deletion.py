"""Permanent deletion: rows, the search index, attachments, and the pages of the file that held them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone

from ..errors import CellError


def moment(before: object) -> str:
    """The moment of a day, a time, or an age, in ISO 8601, UTC.

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
        raise CellError(f"before={before!r} is not a day. Write it as '2026-11-20'; nothing was deleted.") from None


def utc(when: datetime) -> str:
    """A moment as the journal stores it; these sort as text."""
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def delete_statement(where: str, value: object, count: Callable[[int], None]) -> Callable[[sqlite3.Connection], None]:
    """A function that deletes the exchanges for which `where` holds.

    Args:
        count: Called with the number of deleted exchanges.
    """

    def delete(connection: sqlite3.Connection) -> None:
        count(connection.execute(f"delete from exchange where {where}", (value,)).rowcount)  # noqa: S608
        connection.execute("delete from attachment where digest not in (select digest from exchange_attachment)")
        connection.execute("insert into words (words) values ('rebuild')")

    return delete


def wipe(connection: sqlite3.Connection) -> None:
    """Rewrites the file without what was deleted, and empties the write-ahead log.

    Raises:
        sqlite3.OperationalError: Another process still reads the file, so what was deleted stays on the disk.
    """
    connection.execute("vacuum")
    (busy, *_) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    if busy:
        raise sqlite3.OperationalError("it is deleted, but still on the disk, for somebody else is reading the file")
