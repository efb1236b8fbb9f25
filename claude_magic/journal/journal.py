"""The journal: a file of exchanges, with search, costs, export and deletion."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from ..concurrency import Lock, fork_lock, in_child
from ..errors import CellError, SettingsError
from ..wire import Block, Exchange, Request
from ..wire.recorded_answer import RecordedAnswer
from . import crash_recovery, database, queries, recorded_results
from .deletion import delete_statement, moment, wipe
from .export import KINDS, export
from .request_diff import nearest
from .writer import Writer

SHOWN = 20
_MOST = 2**63  # row ids are smaller

Row = Mapping[str, Any]


class Journal:
    """One file of exchanges.

    Args:
        shown: Returns the mime bundle of a title and rows.
        sums: Returns the result of `spend` for rows of sums and what they are grouped by.
    """

    def __init__(
        self,
        path: Path,
        *,
        shown: Callable[[str, Sequence[Row]], Mapping[str, str]],
        sums: Callable[[Sequence[Row], str], Any],
    ) -> None:
        self.path = path
        self._shown = shown
        self._sums = sums
        self._writer: Writer | None = None
        self._lock = Lock()
        in_child(self._forget)

    @property
    def writer(self) -> Writer:
        """The writer: a thread of this process, started on first use."""
        with self._lock:
            if self._writer is None:
                self._writer = Writer(self.path)
            return self._writer

    def close(self) -> None:
        """Finishes pending writes and closes the file."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _forget(self) -> None:
        """In a forked child: drops the writer, whose thread and connection are the parent's."""
        if self._writer is not None:
            self._writer.abandon()
        self._writer = None

    def last(self, count: int = SHOWN) -> Entries:
        """The most recent exchanges, newest first."""
        return self._entries("the last exchanges", self._read(lambda c: queries.last(c, _count(count))))

    def search(self, words: str, count: int = SHOWN) -> Entries:
        """Exchanges whose prompt or reply holds a word beginning with each of these, best match first."""
        asked, most = str(words), _count(count)
        return self._entries(f"exchanges with {asked!r}", self._read(lambda c: queries.search(c, asked, most)))

    def exchange(self, id: int) -> Exchange:
        """The exchange of this id; displayed, it is the reply and its panel.

        Raises:
            CellError: The journal holds no exchange of this id.
        """
        number = id if isinstance(id, int) and abs(id) < _MOST else -1
        found: Exchange | None = self._read(lambda c: queries.exchange(c, number))
        if found is None:
            raise CellError(f"no exchange {id!r} in the journal. claude.journal shows the last ones.")
        return found

    def spend(self, by: str = "day") -> Any:
        """Exchanges, tokens and dollars by `day`, `model`, `notebook`, `conversation` or `provider`.

        Returns:
            A DataFrame where pandas is installed, else a table; displayed with a bar chart.

        Raises:
            CellError: `by` is none of these.
        """
        if by not in queries.BY:
            raise CellError(f"by={by!r} is not known. It is one of {', '.join(queries.BY)}.")
        return self._sums(self._read(lambda c: queries.spend(c, by)), by)

    def export(self, path: str | Path) -> Path:
        """Writes all exchanges to a file: `.jsonl`, `.csv`, or `.db` for a copy of the journal.

        Raises:
            SettingsError: The file cannot be written, or its name ends in something else.
        """
        target = Path(path).expanduser()
        if target.suffix.lower() not in KINDS:
            known = ", ".join(KINDS)
            raise SettingsError(f"not known how to write {str(target)!r}: its name ends in one of {known}.")
        if target.exists() and self.path.exists() and target.samefile(self.path):
            raise SettingsError(f"the journal is {target} itself. Choose another place.")
        self._read(lambda connection: export(connection, target))
        return target

    def forget(self, *, before: object = None, id: int | None = None) -> str:
        """Deletes exchanges permanently: all before a day or moment, or one.

        Args:
            before: Such as `"2026-11-20"`, a `datetime`, or a `timedelta` before now.

        Raises:
            CellError: Neither or both are given, or `before` is no moment; nothing was deleted.
            SettingsError: The journal cannot be written now.
        """
        if id is not None and (isinstance(id, bool) or not isinstance(id, int) or abs(id) >= _MOST):
            raise CellError(f"id={id!r} is no number of an exchange, such as 12. Nothing was deleted.")
        if (before is None) == (id is None):
            raise CellError("say what to forget: before='2026-11-20', or id=12. Nothing was deleted.")
        counted: list[int] = []
        where, value = ("began < ?", moment(before)) if id is None else ("id = ?", id)
        try:
            self.writer.run(delete_statement(where, value, counted.append))
            self._read(wipe)
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(
                f"the journal could not forget: {database.reason(error)}. Close other notebooks, and try again."
            ) from None
        return f"forgotten: {counted[0]} {'exchange' if counted[0] == 1 else 'exchanges'}"

    def of_session(self, session: str) -> list[tuple[str, Exchange]]:
        """The exchanges of a kernel session in order, each with the place of its request."""
        found: list[tuple[str, Exchange]] = self._read(lambda c: queries.of_session(c, session))
        return found

    def answer(self, request: Request, number: int, *, only: bool) -> RecordedAnswer | None:
        """The recorded answer to a request; `None` if there is none.

        Args:
            number: The index of this occurrence of the request, from 0.
            only: Whether occurrences beyond the recorded ones get the last answer.
        """
        found: RecordedAnswer | None = self._read(lambda c: queries.answer(c, request.identity, number, or_last=only))
        return found

    def answers(self, identities: Collection[str]) -> dict[str, list[Row]]:
        """Rows of the complete answers to several requests, in order, by the identity of the request."""
        found: dict[str, list[Row]] = {}
        for row in self._read(lambda c: queries.rows_of(c, identities)):
            found.setdefault(row["identity"], []).append(row)
        return found

    def shown_answer(self, request: Request, cell: str) -> RecordedAnswer | None:
        """The answer that a cell displays, if it answers this request; else `None`."""
        found: RecordedAnswer | None = self._read(lambda c: queries.shown_answer(c, request.identity, cell))
        return found

    def before(self, cell: str, notebook: str) -> Exchange | None:
        """The last complete exchange of a cell of this notebook; `None` for none. A copy has the same cell ids."""
        found: Exchange | None = self._read(lambda c: queries.before(c, cell, notebook))
        return found

    def results(self, exchange: Exchange) -> list[Block] | None:
        """The tool results that followed a recorded reply; `None` if the next request is not in the journal."""
        if exchange.entry is None:
            return None
        number = exchange.entry
        later: list[Exchange] = self._read(lambda c: queries.later_exchanges(c, number))
        return recorded_results.results([each.request.body or {} for each in later], exchange)

    def nearest(self, request: Request) -> str:
        """A sentence on how the most similar answered request differs from this one."""
        known = self._read(lambda c: queries.requests(c, 500))
        return nearest(request.body or {}, [each.request.body or {} for each in known])

    def _entries(self, title: str, rows: Sequence[Row]) -> Entries:
        return Entries(title, rows, self._shown)

    def _read(self, ask: Callable[[sqlite3.Connection], Any]) -> Any:
        """Returns what `ask` finds, once pending writes of this process are done.

        Raises:
            SettingsError: The journal cannot be read.
        """
        if self._writer is not None:
            self.writer.flush()
        try:
            with fork_lock, closing(database.connect_or_replace(self.path, print)) as connection:
                with suppress(sqlite3.Error):  # a file that may only be read
                    crash_recovery.settle(connection)
                return ask(connection)
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(
                f"the journal cannot be read: {self.path}: {database.reason(error)}. Look at Claude.journal."
            ) from None

    def __repr__(self) -> str:
        return repr(self.last())

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        return self.last()._repr_mimebundle_()


def _count(count: object) -> int:
    if isinstance(count, int) and abs(count) < _MOST:
        return count
    raise CellError(f"count={count!r} is no number of rows, such as {SHOWN}.")


class Entries(Sequence[Row]):
    """Rows of the journal, as mappings; displayed as a table."""

    def __init__(
        self, title: str, rows: Sequence[Row], shown: Callable[[str, Sequence[Row]], Mapping[str, str]]
    ) -> None:
        self._title = title
        self._rows = rows
        self._shown = shown

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        return self._shown(self._title, self._rows)
