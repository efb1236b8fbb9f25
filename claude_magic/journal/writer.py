"""One thread that writes the journal, so that nobody who waits for a reply waits for a disk.

Whoever begins or ends an exchange waits a moment for the row, and no longer: a locked file is
written later, and a broken one is told about. While a reply is written, its events are fetched
from it a few times a second; the thread that reads the network does nothing for it.
"""

from __future__ import annotations

import atexit
import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..concurrency import Empty, Event, SimpleQueue, start_thread
from ..errors import ClaudeError, OverBudget
from ..wire.exchange import Batch
from ..wire.message import sound
from ..wire.sse import framed
from . import database
from .attachments import Attachment

PATIENCE = 0.25  # seconds that an exchange waits for its row
EVERY = 0.25  # seconds between two looks at what has arrived
_LONGEST = 2 * database.BUSY  # seconds for what cannot go on without the journal
_IDLE = 1.0  # seconds without work after which the log may be tidied
_CAME = frozenset(("message", "reply", "error", "error_body", "response_headers", "request_id"))  # from a server
_ARRIVED = "insert into arrival (exchange_id, seconds, events) values (?, ?, ?)"
_AT_EXIT = 10.0  # seconds for what is still to be written

Cursor = tuple[int, int]
Source = Callable[[Cursor], tuple[list[Batch], Cursor]]


def _no_events(since: Cursor) -> tuple[list[Batch], Cursor]:
    return [], since


@dataclass(kw_only=True, eq=False)
class Entry:
    """An exchange that is being recorded; only the writer's thread changes it.

    Attributes:
        id: Its number, once it is written.
        arrived: From where we are to the events after that.
        hide: From a text to the same without a key: a server may have sent it back.
        reserved: US dollars that it can cost, under a budget.
    """

    columns: Mapping[str, Any]
    attachments: Sequence[Attachment] = ()
    arrived: Source = _no_events
    hide: Callable[[str], str] = str
    id: int | None = None
    cursor: Cursor = (0, 0)
    reserved: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What may be spent since a moment, by all who write this journal.

    Attributes:
        since: In ISO 8601, UTC.
    """

    usd: float
    since: str


@dataclass(kw_only=True, eq=False)
class _Job:
    do: Callable[[sqlite3.Connection], None]
    entry: Entry | None = None
    error: BaseException | None = None
    done: Event = field(default_factory=Event)


_abandoned: list[Writer] = []  # of parents


class Writer:
    """Writes one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._file = 0
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._open: set[Entry] = set()
        self._told: list[str] = []
        self._closing = False
        self._untidy = False
        self._thread = start_thread(self._loop, name="journal")
        atexit.register(self.close)

    def begin(self, entry: Entry, most: float = 0.0, limit: Limit | None = None) -> str:
        """Write the row of an exchange that is about to be sent; why it could not be, or `""`.

        Args:
            most: What it can cost, in US dollars.

        Raises:
            OverBudget: It could pass `limit`, or that cannot be known.
        """

        def write(connection: sqlite3.Connection) -> None:
            if limit is not None:
                _check(connection, limit, most)
            _insert(connection, entry)

        entry.reserved = most
        self._open.add(entry)
        job = self._enqueue(_Job(do=write, entry=entry))
        job.done.wait(PATIENCE if limit is None else _LONGEST)
        if isinstance(job.error, OverBudget):
            self._open.discard(entry)
            raise job.error
        why = "" if job.done.is_set() and job.error is None else _why(job)
        if limit is not None and why:
            self._open.discard(entry)
            raise OverBudget(f"what was spent today is not known: {why}. Nothing was sent. Look at Claude.journal.")
        return why

    def end(self, entry: Entry, columns: Mapping[str, Any]) -> str:
        """Complete the row; what the reader must know, or `""`."""
        self._open.discard(entry)

        def write(connection: sqlite3.Connection) -> None:
            _insert_events(connection, entry)
            names = ", ".join(f"{name} = ?" for name in columns)
            connection.execute(f"update exchange set {names} where id = ?", [*_values(columns, entry.hide), entry.id])  # noqa: S608

        job = self._enqueue(_Job(do=write, entry=entry))
        job.done.wait(PATIENCE)
        told, self._told = self._told, []
        if not job.done.is_set():
            told.append("not in the journal yet: it is written as soon as another process lets it")
        elif job.error is not None:
            told.append(f"not kept in the journal: {_why(job)}")
        return "; ".join(told)

    def run(self, do: Callable[[sqlite3.Connection], None]) -> None:
        """Do something in a transaction of its own, after all that was begun before.

        Raises:
            sqlite3.Error, OSError: It was not done.
            TimeoutError: Another process does not let it.
        """
        job = self._enqueue(_Job(do=do))
        if not job.done.wait(_LONGEST):
            raise TimeoutError("another process is writing it")
        if job.error is not None:
            raise job.error

    def flush(self) -> None:
        """Wait a little until what was begun before is written."""
        self._enqueue(_Job(do=lambda _: None)).done.wait(4 * PATIENCE)

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        atexit.unregister(self.close)
        self._closing = True
        self._enqueue(_Job(do=lambda _: None))
        self._thread.join(_AT_EXIT)

    def abandon(self) -> None:
        """In a child: never close the parent's connection, which would touch its file; the child makes its own."""
        atexit.unregister(self.close)
        _abandoned.append(self)

    def _enqueue(self, job: _Job) -> _Job:
        self._jobs.put(job)
        return job

    def _loop(self) -> None:
        waiting: list[_Job] = []
        while True:
            waiting += self._take_jobs(waiting)
            if self._all_done(waiting):
                waiting, self._untidy = [], bool(waiting)
            if self._closing and self._jobs.empty():
                self._close_connection()
                return

    def _take_jobs(self, waiting: list[_Job]) -> list[_Job]:
        """What is to be done now: jobs, or after a while without any the events of what is open."""
        found: list[_Job] = []
        with contextlib.suppress(Empty):
            if not waiting:
                found.append(self._jobs.get(timeout=EVERY if self._open else _IDLE if self._untidy else None))
            while True:
                found.append(self._jobs.get_nowait())
        if found or waiting:
            return found
        if not self._open:
            self._tidy()
        return [self._events_of(entry) for entry in list(self._open)]

    def _events_of(self, entry: Entry) -> _Job:
        return _Job(do=lambda connection: _insert_events(connection, entry), entry=entry)

    def _all_done(self, jobs: list[_Job]) -> bool:
        """Do `jobs` at once, else one by one; whether they are over, done or not."""
        error = self._try_jobs(jobs)
        if error is None:
            return True
        if database.is_lock(error) and not self._closing:
            return False
        for job in jobs:
            job.error = error if len(jobs) == 1 else self._try_jobs([job])
            job.done.set()
        return True

    def _try_jobs(self, jobs: list[_Job], *, again: bool = True) -> BaseException | None:
        """Do `jobs` in one transaction; why nothing of it was done.

        Args:
            again: Whether to begin a new file if this one is damaged.
        """
        before = [(job.entry, job.entry.id, job.entry.cursor) for job in jobs if job.entry is not None]
        try:
            with database.transaction(self._connect()) as connection:
                for job in jobs:
                    try:
                        job.do(connection)
                    except ClaudeError as refused:
                        job.error = refused
        except BaseException as error:
            for entry, number, cursor in reversed(before):
                entry.id, entry.cursor = number, cursor
            if not database.is_lock(error):
                self._close_connection()
            return self._again(jobs) if again and database.is_damage(error) else error
        for job in jobs:
            job.done.set()
        return None

    def _again(self, jobs: list[_Job]) -> BaseException | None:
        """The file is damaged: put it aside and try with a new one."""
        try:
            if said := database.aside(self.path, self._file):
                self._told.append(said)
        except OSError as error:
            return error
        return self._try_jobs(jobs, again=False)

    def _connect(self) -> sqlite3.Connection:
        """The connection, opened again if the file is another one by now."""
        if self._connection is not None and database.number(self.path) != self._file:
            self._close_connection()
        if self._connection is None:
            self._connection = database.connect_or_replace(self.path, self._told.append)
            self._file = database.number(self.path)
        return self._connection

    def _tidy(self) -> None:
        """What waits for the disk is done while nobody waits for us."""
        self._untidy = False
        if self._connection is not None:
            database.checkpoint(self._connection, self.path)

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _why(job: _Job) -> str:
    return "another process is writing it" if job.error is None else database.reason(job.error)


def _check(connection: sqlite3.Connection, limit: Limit, most: float) -> None:
    """Refuse what could pass the limit, together with all that was and is being spent."""
    (spent,) = connection.execute(
        "select total(coalesce(usd, reserved_usd)) from exchange where began >= ?", (limit.since,)
    ).fetchone()
    if spent + most > limit.usd:
        raise OverBudget.of(most, spent=spent, limit=limit.usd, setting="budget_usd_per_day", since="today")


def _insert(connection: sqlite3.Connection, entry: Entry) -> None:
    columns = {**entry.columns, "reserved_usd": entry.reserved}
    places = ", ".join("?" * len(columns))
    done = connection.execute(
        f"insert into exchange ({', '.join(columns)}) values ({places})",  # noqa: S608  names are ours
        _values(columns, entry.hide),
    )
    entry.id, entry.cursor = done.lastrowid, (0, 0)
    for each in entry.attachments:
        connection.execute(
            "insert or ignore into attachment values (?, ?, ?)", (each.digest, each.media_type, each.data)
        )
        connection.execute("insert or ignore into exchange_attachment values (?, ?)", (entry.id, each.digest))


def _is_there(connection: sqlite3.Connection, entry: Entry) -> bool:
    """Whether its row is in this file: it may have been moved aside, or deleted, while the reply was written."""
    columns = entry.columns
    row = connection.execute("select session, began from exchange where id = ?", (entry.id,)).fetchone()
    return bool(row == (columns["session"], columns["began"]))


def _insert_events(connection: sqlite3.Connection, entry: Entry) -> None:
    if not _is_there(connection, entry):
        _insert(connection, entry)
    batches, cursor = entry.arrived(entry.cursor)
    for seconds, names, data in batches:
        text = entry.hide(framed(names, data))
        try:
            connection.execute(_ARRIVED, (entry.id, seconds, text))
        except UnicodeEncodeError:  # rare: to look for it beforehand costs as much as all the rest
            connection.execute(_ARRIVED, (entry.id, seconds, sound(text)))
    entry.cursor = cursor


def _values(columns: Mapping[str, Any], hide: Callable[[str], str]) -> list[Any]:
    return [
        value if not isinstance(value, str) else hide(sound(value)) if name in _CAME else sound(value)
        for name, value in columns.items()
    ]
