"""The journal: a file of exchanges, with search, costs, export and deletion."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from ..browser import in_browser
from ..concurrency import Lock, fork_lock, in_child
from ..errors import CellError, SettingsError
from ..wire import Block, Exchange, Request
from ..wire.recorded_answer import RecordedAnswer
from . import crash_recovery, database, queries
from .deletion import delete, parse_moment, wipe
from .export import KINDS, export
from .recorded_results import recorded_results
from .request_diff import describe_nearest
from .writer import Writer

DEFAULT_COUNT = 20
_MAX_NUMBER = 2**63  # row ids are smaller

Row = Mapping[str, Any]


class JournalViews(Protocol):
    """How rows of the journal are shown."""

    def entries(self, title: str, rows: Sequence[Row]) -> Mapping[str, str]:
        """The mime bundle of rows of exchanges."""

    def spending(self, rows: Sequence[Row], by: str) -> Any:
        """The result of `spend`, from rows of sums and the name of their group."""


class Journal:
    """One file of exchanges."""

    def __init__(self, path: Path, views: JournalViews) -> None:
        self.path = path
        self._views = views
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

    def last(self, count: int = DEFAULT_COUNT) -> Entries:
        """The most recent exchanges, newest first."""
        limit = _count(count)
        with self.reading() as connection:
            where = " in the memory of this page (a reload empties it)" if in_browser() else ""
            return Entries(f"the last exchanges{where}", queries.last(connection, limit), self._views)

    def mean_seconds(self, model: str) -> float | None:
        """The mean time of the last replies of a model; `None` if there are none."""
        with self.reading() as connection:
            return queries.mean_seconds(connection, model)

    def search(self, words: str, count: int = DEFAULT_COUNT) -> Entries:
        """Exchanges with words in their prompt or reply that begin with each of these, the best match first."""
        terms, limit = str(words), _count(count)
        with self.reading() as connection:
            return Entries(f"exchanges with {terms!r}", queries.search(connection, terms, limit), self._views)

    def exchange(self, id: int) -> Exchange:
        """The exchange of this id; displayed, it is the reply and its panel.

        Raises:
            CellError: The journal holds no exchange of this id.
        """
        number = id if isinstance(id, int) and abs(id) < _MAX_NUMBER else -1
        with self.reading() as connection:
            exchange = queries.exchange(connection, number)
        if exchange is None:
            raise CellError(f"no exchange {id!r} in the journal. claude.journal shows the last ones.")
        return exchange

    def spend(self, by: str = "day") -> Any:
        """Exchanges, tokens and dollars by `day`, `model`, `notebook`, `conversation` or `provider`.

        Returns:
            A DataFrame where pandas is installed, else a table; displayed with a bar chart.

        Raises:
            CellError: `by` is none of these.
        """
        if by not in queries.GROUPS:
            raise CellError(f"by={by!r} is not known. It must be one of {', '.join(queries.GROUPS)}.")
        with self.reading() as connection:
            rows = queries.spend(connection, by)
        return self._views.spending(rows, by)

    def spend_between(self, begin: date, end: date, by: str, base_url: str) -> list[dict[str, Any]]:
        """What was spent at one endpoint in the UTC days from `begin` to before `end`, by `day` or `model`."""
        with self.reading() as connection:
            return queries.spend_between(connection, begin, end, by, base_url.rstrip("/") + "/")

    def export(self, path: str | Path) -> Path:
        """Writes all exchanges to a file: `.jsonl`, `.csv`, or `.db` for a copy of the journal.

        Raises:
            SettingsError: The file cannot be written, or its name ends in something else.
        """
        target = Path(path).expanduser()
        if target.suffix.lower() not in KINDS:
            known = ", ".join(KINDS)
            raise SettingsError(f"unknown format: {str(target)!r}. The name must end in one of {known}.")
        if target.exists() and self.path.exists() and target.samefile(self.path):
            raise SettingsError(f"the journal is {target} itself. Choose another place.")
        with self.reading() as connection:
            export(connection, target)
        return target

    def forget(self, *, before: object = None, id: int | None = None) -> str:
        """Deletes exchanges permanently: all before a day or moment, or one.

        Args:
            before: Such as `"2026-11-20"`, a `datetime`, or a `timedelta` before now.

        Raises:
            CellError: Neither or both are given, or `before` is not a moment; nothing was deleted.
            SettingsError: The journal cannot be written now.
        """
        if id is not None and (isinstance(id, bool) or not isinstance(id, int) or abs(id) >= _MAX_NUMBER):
            raise CellError(f"id={id!r} is not the number of an exchange, such as 12. Nothing was deleted.")
        if (before is None) == (id is None):
            raise CellError("say what to forget: before='2026-11-20', or id=12. Nothing was deleted.")
        where, value = ("began < ?", parse_moment(before)) if id is None else ("id = ?", id)
        try:
            count = self.writer.run(lambda connection: delete(connection, where, value))
            with self.reading() as connection:
                wipe(connection)
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(
                f"the journal could not delete: {database.reason(error)}. Close other notebooks, and try again."
            ) from None
        return f"forgotten: {count} {'exchange' if count == 1 else 'exchanges'}"

    def session_exchanges(self, session: str) -> list[tuple[str, Exchange]]:
        """The exchanges of a kernel session in order, each with the place of its request."""
        with self.reading() as connection:
            return queries.session_exchanges(connection, session)

    def answer(self, request: Request, number: int, *, only: bool) -> RecordedAnswer | None:
        """The recorded answer to a request; `None` if there is none.

        Args:
            number: The index of this occurrence of the request, from 0.
            only: Whether occurrences beyond the recorded ones get the last answer.
        """
        with self.reading() as connection:
            return queries.answer(connection, request.identity, number, or_last=only)

    def answers(self, identities: Collection[str]) -> dict[str, list[Row]]:
        """Rows of the complete answers to several requests, in order, by the identity of the request."""
        answers: dict[str, list[Row]] = {}
        with self.reading() as connection:
            for row in queries.answer_rows(connection, identities):
                answers.setdefault(row["identity"], []).append(row)
        return answers

    def displayed_answer(self, request: Request, cell: str) -> RecordedAnswer | None:
        """The answer that a cell displays, if it answers this request; else `None`."""
        with self.reading() as connection:
            return queries.displayed_answer(connection, request.identity, cell)

    def last_of_cell(self, cell: str, notebook: str) -> Exchange | None:
        """The last complete exchange of a cell of this notebook; `None` for none. A copy has the same cell ids."""
        with self.reading() as connection:
            return queries.last_of_cell(connection, cell, notebook)

    def results(self, exchange: Exchange) -> list[Block] | None:
        """The tool results that followed a recorded reply; `None` if the next request is not in the journal."""
        if exchange.entry is None:
            return None
        with self.reading() as connection:
            later = queries.later_exchanges(connection, exchange.entry)
        return recorded_results([each.request.body or {} for each in later], exchange)

    def nearest(self, request: Request) -> str:
        """A sentence on how the most similar answered request differs from this one."""
        with self.reading() as connection:
            recent = queries.recent_exchanges(connection, 500)
        return describe_nearest(request.body or {}, [each.request.body or {} for each in recent])

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read, opened after pending writes of this process are done.

        Raises:
            SettingsError: The journal cannot be read.
        """
        if self._writer is not None:
            self.writer.flush()
        try:
            with fork_lock, closing(self._connect()) as connection:
                with suppress(sqlite3.Error):  # the file may be read-only
                    crash_recovery.complete_unfinished(connection)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise SettingsError(
                f"the journal cannot be read: {self.path}: {database.reason(error)}. Check Claude.journal."
            ) from None

    def _connect(self) -> sqlite3.Connection:
        connection, note = database.connect_or_replace(self.path)
        if note:
            print(note)
        return connection

    def __repr__(self) -> str:
        return repr(self.last())

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        return self.last()._repr_mimebundle_()


def _count(count: object) -> int:
    if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < _MAX_NUMBER:
        return count
    raise CellError(f"count={count!r} is not a number of rows, such as {DEFAULT_COUNT}.")


class Entries(Sequence[Row]):
    """Rows of the journal, as mappings; displayed as a table."""

    def __init__(self, title: str, rows: Sequence[Row], views: JournalViews) -> None:
        self.title = title
        self._rows = rows
        self._views = views

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        return self._views.entries(self.title, self._rows)
