"""Turns that wait for the user, in the journal, so that they go on after a restart of the kernel.

A row names the exchange whose calls wait; request and reply are that exchange's. It is removed when the user decides,
and no longer counts once its cell was sent again. With the exchange, it is deleted.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from . import database
from .crash_recovery import may_run
from .queries import select_rows

if TYPE_CHECKING:
    from .journal import Journal

_SELECT = """
    select p.exchange_id as entry, p.cell, p.state, e.session, e.began, e.notebook, e.conversation
    from pending_turn p join exchange e on e.id = p.exchange_id
    where (p.cell like 'input %' or not exists (
        select 1 from exchange n where n.cell = p.cell and n.notebook = e.notebook and n.id > e.id))
"""  # a cell without an id is called "input 3", as many others are


@dataclass(frozen=True, kw_only=True)
class PendingRow:
    """A turn that waits.

    Attributes:
        entry: The id of the exchange whose calls wait.
        cell: The name of the first request of the turn.
        state: What request and reply do not tell, as JSON.
        session: The kernel session that asked.
    """

    entry: int
    cell: str
    state: Mapping[str, Any]
    session: str
    began: str
    notebook: str
    conversation: str

    @property
    def may_live(self) -> bool:
        """Whether another process may still hold it, with buttons on its page."""
        is_own = self.session.split("-")[1:2] == [str(os.getpid())]
        return not is_own and may_run(self.session, self.began)


def keep(journal: Journal, entry: int, cell: str, state: Mapping[str, Any]) -> str:
    """Writes down that a turn waits; returns why that failed, or `""`."""
    text = json.dumps(state, ensure_ascii=True)

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(
            "insert or replace into pending_turn (exchange_id, cell, state) values (?, ?, ?)", (entry, cell, text)
        )

    try:
        journal.writer.run(write)
    except (sqlite3.Error, OSError, SettingsError) as error:
        return str(error) if isinstance(error, SettingsError) else database.reason(error)
    return ""


def entries_of(journal: Journal, session: str, cell: str, moments: Sequence[str]) -> dict[str, int]:
    """The ids of the exchanges of a turn, by the moment when each began; without those that were not written.

    On a busy machine an exchange is written after its cell was told of its end, which then does not know the id.

    Raises:
        SettingsError: The journal cannot be read.
    """
    statement = (
        "select id, began from exchange where session = ? and (cell = ? or substr(cell, 1, ?) = ?) "
        "and began in (select value from json_each(?))"
    )
    values = session, cell, len(cell) + 1, f"{cell}.", json.dumps(list(moments))
    with journal.reading() as connection:
        return {row["began"]: row["id"] for row in select_rows(connection, statement, *values)}


def remove(journal: Journal, entry: int) -> bool:
    """Removes a turn that does not wait any more; whether it was there.

    Raises:
        SettingsError: The journal cannot be written.
    """

    def write(connection: sqlite3.Connection) -> int:
        return connection.execute("delete from pending_turn where exchange_id = ?", (entry,)).rowcount

    try:
        return journal.writer.run(write) > 0
    except (sqlite3.Error, OSError) as error:
        raise SettingsError(f"the journal cannot be written: {database.reason(error)}. Check Claude.journal.") from None


def pending_row(journal: Journal, entry: int) -> PendingRow | None:
    """The turn that waits under this number; `None` if there is none.

    Raises:
        SettingsError: The journal cannot be read.
    """
    with journal.reading() as connection:
        found = select_rows(connection, f"{_SELECT} and p.exchange_id = ?", entry)
    return _row(found[0]) if found else None


def pending_rows(journal: Journal, notebook: str) -> list[PendingRow]:
    """The turns of a notebook that wait, the oldest first.

    Raises:
        SettingsError: The journal cannot be read.
    """
    with journal.reading() as connection:
        found = select_rows(connection, f"{_SELECT} and e.notebook = ? order by p.exchange_id", notebook)
    return [_row(each) for each in found]


def _row(row: Mapping[str, Any]) -> PendingRow:
    return PendingRow(**{**row, "state": json.loads(row["state"])})
