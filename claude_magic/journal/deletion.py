"""Deleting for good: rows, words, attachments, and the pages of the file that held them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone

from ..errors import CellError


def moment(before: object) -> str:
    """A moment in ISO 8601, UTC, from a day, a time, or how long ago.

    Raises:
        CellError: It is none of them.
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
    """As the journal writes a moment; these sort as text."""
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def delete_statement(where: str, value: object, count: Callable[[int], None]) -> Callable[[sqlite3.Connection], None]:
    """Delete the exchanges for which `where` holds.

    Args:
        count: Told how many they were.
    """

    def delete(connection: sqlite3.Connection) -> None:
        count(connection.execute(f"delete from exchange where {where}", (value,)).rowcount)  # noqa: S608
        connection.execute("delete from attachment where digest not in (select digest from exchange_attachment)")
        connection.execute("insert into words (words) values ('rebuild')")

    return delete


def wipe(connection: sqlite3.Connection) -> None:
    """Write the file anew, without what was deleted, and empty the log beside it.

    Raises:
        sqlite3.OperationalError: Somebody still reads what was deleted, so that it stays on the disk until later.
    """
    connection.execute("vacuum")
    (busy, *_) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    if busy:
        raise sqlite3.OperationalError("it is deleted, but still on the disk, for somebody else is reading the file")
