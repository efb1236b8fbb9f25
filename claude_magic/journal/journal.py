"""The journal: what was asked and answered, how it is found again, and what it cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from ..concurrency import Lock, in_child
from ..errors import CellError, SettingsError
from ..wire import Block, Exchange, Request
from ..wire.recorded import Recorded
from . import crash_recovery, database, queries, recorded_results
from .deletion import delete_statement, moment, wipe
from .export import KINDS, export
from .request_diff import nearest
from .writer import Writer

SHOWN = 20
_MOST = 2**63  # more is no number of a row

Row = Mapping[str, Any]


class Journal:
    """One file of exchanges.

    Args:
        shown: From a title and rows to their mime bundle.
        sums: From rows of sums and what they are by to what `spend` gives back.
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
        """What writes the file: a thread of this process, begun when it is first needed."""
        with self._lock:
            if self._writer is None:
                self._writer = Writer(self.path)
            return self._writer

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _forget(self) -> None:
        """In a child: the thread is not there, and the connection is the parent's."""
        if self._writer is not None:
            self._writer.abandon()
        self._writer = None

    def last(self, count: int = SHOWN) -> Entries:
        """The last exchanges, the newest first."""
        return self._entries("the last exchanges", self._read(lambda c: queries.last(c, _count(count))))

    def search(self, words: str, count: int = SHOWN) -> Entries:
        """Exchanges in whose question or reply all these words begin, the best first."""
        asked, most = str(words), _count(count)
        return self._entries(f"exchanges with {asked!r}", self._read(lambda c: queries.search(c, asked, most)))

    def exchange(self, id: int) -> Exchange:
        """The whole exchange; shown, it is its reply and its panel.

        Raises:
            CellError: There is none of this number.
        """
        number = id if isinstance(id, int) and abs(id) < _MOST else -1
        found: Exchange | None = self._read(lambda c: queries.exchange(c, number))
        if found is None:
            raise CellError(f"no exchange {id!r} in the journal. claude.journal shows the last ones.")
        return found

    def spend(self, by: str = "day") -> Any:
        """Exchanges, tokens and dollars by `day`, `model`, `notebook`, `conversation` or `provider`.

        Returns:
            A DataFrame where pandas is installed, else a table; shown, with a bar chart.

        Raises:
            CellError: `by` is something else.
        """
        if by not in queries.BY:
            raise CellError(f"by={by!r} is not known. It is one of {', '.join(queries.BY)}.")
        return self._sums(self._read(lambda c: queries.spend(c, by)), by)

    def export(self, path: str | Path) -> Path:
        """Write all exchanges to a file: `.jsonl`, `.csv`, or `.db` for a copy of the journal.

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
        """Delete exchanges for good: all before a day or moment, or one.

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
        """A kernel's exchanges in order, with the place that each was asked at."""
        found: list[tuple[str, Exchange]] = self._read(lambda c: queries.of_session(c, session))
        return found

    def answer(self, request: Request, number: int, *, only: bool) -> Recorded | None:
        """The answer to a request that is asked for the `number`-th time, from 0; `None` if there is none.

        Args:
            only: Asked more often than it was recorded, it gets the last answer again.
        """
        found: Recorded | None = self._read(lambda c: queries.answer(c, request.identity, number, or_last=only))
        return found

    def answers(self, identities: Collection[str]) -> dict[str, list[Row]]:
        """Rows of the whole answers to several requests, by the identity of the request, in their order."""
        found: dict[str, list[Row]] = {}
        for row in self._read(lambda c: queries.rows_of(c, identities)):
            found.setdefault(row["identity"], []).append(row)
        return found

    def shown_answer(self, request: Request, cell: str) -> Recorded | None:
        """The answer that a cell's page shows, if it is one to this request."""
        found: Recorded | None = self._read(lambda c: queries.shown_answer(c, request.identity, cell))
        return found

    def before(self, cell: str, notebook: str) -> Exchange | None:
        """What a cell of this notebook was answered last, whole; `None` if it was not. A copy has its cells' names."""
        found: Exchange | None = self._read(lambda c: queries.before(c, cell, notebook))
        return found

    def results(self, exchange: Exchange) -> list[Block] | None:
        """The results that the calls of a recorded reply got; `None` if what came next is not there."""
        if exchange.entry is None:
            return None
        number = exchange.entry
        later: list[Exchange] = self._read(lambda c: queries.later_exchanges(c, number))
        return recorded_results.results([each.request.body or {} for each in later], exchange)

    def nearest(self, request: Request) -> str:
        """What differs from the nearest request that was answered, a sentence."""
        known = self._read(lambda c: queries.requests(c, 500))
        return nearest(request.body or {}, [each.request.body or {} for each in known])

    def _entries(self, title: str, rows: Sequence[Row]) -> Entries:
        return Entries(title, rows, self._shown)

    def _read(self, ask: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `ask` finds, after all that this process has written.

        Raises:
            SettingsError: The journal cannot be read.
        """
        if self._writer is not None:
            self.writer.flush()
        try:
            with closing(database.connect_or_replace(self.path, print)) as connection:
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
    """Rows of the journal, as mappings; shown, they are a table."""

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
