"""One thread that writes the journal, so that no reply waits for the disk; where there are no threads, the caller.

The caller that begins or ends an exchange waits at most `CALLER_TIMEOUT` seconds for its row: to a locked file it is
written later, and an error is reported. While a reply is streamed, this thread fetches its events a few times a
second; the thread that reads the network does nothing for the journal.

SQLite keeps the locks of a file in the process; a child that inherits them believes that it holds them, or waits for
ever for their holder. So the connection is closed before each fork, and no transaction is open then.
Source: https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
"""

from __future__ import annotations

import atexit
import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..browser import in_browser
from ..concurrency import Empty, Event, Lock, SimpleQueue, before_fork, can_run_beside, fork_lock, start_thread
from ..errors import ClaudeError, OverBudget
from ..wire.exchange import Batch
from ..wire.message import fix_surrogates
from ..wire.sse import encode_events
from . import database
from .attachments import Attachment

CALLER_TIMEOUT = 0.25  # seconds that a caller waits for the row of its exchange
FETCH_INTERVAL = 0.25  # seconds between two fetches of new events
_MAX_WAIT = 2 * database.BUSY_TIMEOUT  # seconds that a caller waits who cannot continue without the journal
_IDLE = 1.0  # seconds without work after which the write-ahead log is checkpointed
# Columns with text of a server.
_FROM_SERVER = frozenset(("message", "reply", "answer", "error", "error_body", "response_headers", "request_id"))
_INSERT_ARRIVAL = "insert into arrival (exchange_id, seconds, events) values (?, ?, ?)"
_EXIT_TIMEOUT = 10.0  # seconds that the end of the process waits for pending writes

Cursor = tuple[int, int]
Source = Callable[[Cursor], tuple[list[Batch], Cursor]]
T = TypeVar("T")


def _no_events(cursor: Cursor) -> tuple[list[Batch], Cursor]:
    return [], cursor


@dataclass(kw_only=True, eq=False)
class Entry:
    """An exchange that is being recorded; only the writer's thread changes it.

    Attributes:
        id: The id of its row; `None` until that is written.
        source: Returns the events after a cursor, and the new cursor.
        hide: Redacts API keys, which a server may repeat.
        cursor: The end of the events that are written.
        reserved: The highest cost, in US dollars; counted against a budget until the exchange has ended.
    """

    columns: Mapping[str, Any]
    attachments: Sequence[Attachment] = ()
    source: Source = _no_events
    hide: Callable[[str], str] = str
    id: int | None = None
    cursor: Cursor = (0, 0)
    reserved: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit on what all processes that write this journal may spend since a moment.

    Attributes:
        usd: US dollars.
        since: The moment, in ISO 8601, UTC.
    """

    usd: float
    since: str


@dataclass(kw_only=True, eq=False)
class _Job:
    """Work for the writer's thread.

    Attributes:
        run: Called within a transaction.
        entry: The exchange that it writes; `None` for other work.
        error: Why it failed; `None` if it did not.
        done: Set when it has succeeded or failed.
    """

    run: Callable[[sqlite3.Connection], object]
    entry: Entry | None = None
    error: BaseException | None = None
    done: Event = field(default_factory=Event)


class Writer:
    """Writes one journal file, in a thread of its own if there are threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._file = 0
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._open: set[Entry] = set()
        self._notes: list[str] = []
        self._closing = False
        self._needs_checkpoint = False
        self._waiting: list[_Job] = []
        self._caller_lock = Lock()
        # in a browser the file is in memory: nothing is slow, and its coroutines could not go on while a caller waits
        self._thread = None if in_browser() or not can_run_beside() else start_thread(self._loop, name="journal")
        atexit.register(self.close)
        before_fork(self._close_connection)

    def begin(self, entry: Entry, max_cost: float = 0.0, limit: Limit | None = None) -> str:
        """Writes the row of an exchange that is about to be sent; returns why that failed, or `""`.

        Args:
            max_cost: The highest cost of the exchange, in US dollars.
            limit: The budget; `None` for none.

        Raises:
            OverBudget: The exchange could exceed `limit`, or the amount spent is not known.
        """

        def write(connection: sqlite3.Connection) -> None:
            if limit is not None:
                check_budget(connection, limit, max_cost)
            _insert(connection, entry)

        entry.reserved = max_cost
        self._open.add(entry)
        job = self._enqueue(_Job(run=write, entry=entry))
        job.done.wait(CALLER_TIMEOUT if limit is None else _MAX_WAIT)
        if isinstance(job.error, OverBudget):
            self._open.discard(entry)
            raise job.error
        reason = "" if job.done.is_set() and job.error is None else _failure_reason(job)
        if limit is not None and reason:
            self._open.discard(entry)
            raise OverBudget(f"the amount spent today is not known: {reason}. Nothing was sent. Check Claude.journal.")
        return reason

    def end(self, entry: Entry, columns: Mapping[str, Any]) -> str:
        """Completes the row; returns a note for the user, or `""`."""
        self._open.discard(entry)

        def write(connection: sqlite3.Connection) -> None:
            _insert_events(connection, entry)
            _update(connection, entry, columns)

        job = self._enqueue(_Job(run=write, entry=entry))
        job.done.wait(CALLER_TIMEOUT)
        notes, self._notes = self._notes, []
        if not job.done.is_set():
            notes.append("not in the journal yet: it is written as soon as another process releases the file")
        elif job.error is not None:
            notes.append(f"not kept in the journal: {_failure_reason(job)}")
        return "; ".join(notes)

    def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `function` in a transaction, after all pending writes, and returns its result.

        Raises:
            sqlite3.Error, OSError: `function` failed; nothing was changed.
            TimeoutError: Another process holds the file locked.
        """
        results: list[T] = []
        job = self._enqueue(_Job(run=lambda connection: results.append(function(connection))))
        if not job.done.wait(_MAX_WAIT):
            raise TimeoutError("another process is writing it")
        if job.error is not None:
            raise job.error
        return results[-1]

    def flush(self) -> None:
        """Waits until pending writes are done, or for a time in which another process should have finished."""
        self._enqueue(_Job(run=lambda _: None)).done.wait(_MAX_WAIT)

    def close(self) -> None:
        """Finishes pending writes and closes the file."""
        atexit.unregister(self.close)
        self._closing = True
        self._enqueue(_Job(run=lambda _: None))
        if self._thread is None:
            self._close_connection()
        else:
            self._thread.join(_EXIT_TIMEOUT)

    def abandon(self) -> None:
        """In a forked child: the thread is the parent's, and so are the pending writes."""
        atexit.unregister(self.close)

    def _enqueue(self, job: _Job) -> _Job:
        self._jobs.put(job)
        if self._thread is None:
            with self._caller_lock:
                self._run_waiting()
        return job

    def _run_waiting(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._waiting.append(self._jobs.get_nowait())
        with fork_lock:
            if self._run_jobs(self._waiting):
                self._waiting = []

    def _loop(self) -> None:
        while True:
            self._waiting += self._take_jobs(self._waiting)
            with fork_lock:
                if self._run_jobs(self._waiting):
                    self._waiting, self._needs_checkpoint = [], bool(self._waiting)
            if self._closing and self._jobs.empty():
                with fork_lock:
                    self._close_connection()
                return

    def _take_jobs(self, waiting: list[_Job]) -> list[_Job]:
        """Returns the jobs to run now: queued ones, or, after a while without any, the events of open exchanges."""
        jobs: list[_Job] = []
        with contextlib.suppress(Empty):
            if not waiting:
                jobs.append(self._jobs.get(timeout=FETCH_INTERVAL if self._open else self._idle_timeout()))
            while True:
                jobs.append(self._jobs.get_nowait())
        if jobs or waiting:
            return jobs
        if not self._open:
            with fork_lock:
                self._checkpoint()
        return [self._events_job(entry) for entry in list(self._open)]

    def _idle_timeout(self) -> float | None:
        return _IDLE if self._needs_checkpoint else None

    def _events_job(self, entry: Entry) -> _Job:
        return _Job(run=lambda connection: _insert_events(connection, entry), entry=entry)

    def _run_jobs(self, jobs: list[_Job]) -> bool:
        """Runs `jobs` in one transaction, or else one by one; returns whether they have succeeded or failed."""
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
        """Runs `jobs` in one transaction; returns the error that rolled all of them back, or `None`.

        Args:
            again: Whether to try again with a new file if this one is damaged.
        """
        before = [(job.entry, job.entry.id, job.entry.cursor) for job in jobs if job.entry is not None]
        try:
            with database.transaction(self._connect()) as connection:
                for job in jobs:
                    try:
                        job.run(connection)
                    except ClaudeError as failure:
                        job.error = failure
        except BaseException as error:
            for entry, number, cursor in reversed(before):
                entry.id, entry.cursor = number, cursor
            if not database.is_lock(error):
                self._close_connection()
            return self._retry_in_new_file(jobs) if again and database.is_damage(error) else error
        for job in jobs:
            job.done.set()
        return None

    def _retry_in_new_file(self, jobs: list[_Job]) -> BaseException | None:
        """Moves the damaged file aside and tries again with a new one."""
        try:
            note = database.move_aside(self.path, self._file)
        except OSError as error:
            return error
        self._add_note(note)
        return self._try_jobs(jobs, again=False)

    def _connect(self) -> sqlite3.Connection:
        """The connection, opened again if the file has been replaced."""
        if self._connection is not None and database.file_number(self.path) != self._file:
            self._close_connection()
        if self._connection is None:
            self._connection, note = database.connect_or_replace(self.path)
            self._file = database.file_number(self.path)
            self._add_note(note)
        return self._connection

    def _add_note(self, note: str) -> None:
        if note:
            self._notes.append(note)

    def _checkpoint(self) -> None:
        """Checkpoints the write-ahead log while no caller waits."""
        self._needs_checkpoint = False
        if self._connection is not None:
            database.checkpoint(self._connection, self.path)

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _failure_reason(job: _Job) -> str:
    return "another process is writing it" if job.error is None else database.reason(job.error)


def insert_exchange(
    connection: sqlite3.Connection,
    start: Mapping[str, Any],
    attachments: Sequence[Attachment],
    end: Mapping[str, Any],
    hide: Callable[[str], str],
) -> int:
    """Writes an exchange that has ended, and returns its id.

    Args:
        start: The columns known before it was sent.
        end: The columns known when it had ended.
        hide: Redacts API keys.
    """
    entry = Entry(columns=start, attachments=attachments, hide=hide)
    _insert(connection, entry)
    _update(connection, entry, end)
    assert entry.id is not None  # noqa: S101  it was inserted
    return entry.id


def _update(connection: sqlite3.Connection, entry: Entry, columns: Mapping[str, Any]) -> None:
    names = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"update exchange set {names} where id = ?", [*_values(columns, entry.hide), entry.id])  # noqa: S608


def check_budget(connection: sqlite3.Connection, limit: Limit, max_cost: float) -> None:
    """Raises `OverBudget` if the amounts spent and reserved, together with `max_cost`, exceed the limit."""
    (spent,) = connection.execute(
        "select (select total(coalesce(usd, reserved_usd)) from exchange where began >= ?1) "
        "+ (select total(reserved_usd) from batch where began >= ?1)",
        (limit.since,),
    ).fetchone()
    if spent + max_cost > limit.usd:
        raise OverBudget.from_figures(
            max_cost, spent=spent, limit=limit.usd, setting="budget_usd_per_day", since="today"
        )


def _insert(connection: sqlite3.Connection, entry: Entry) -> None:
    columns = {**entry.columns, "reserved_usd": entry.reserved}
    parameters = ", ".join("?" * len(columns))
    cursor = connection.execute(
        f"insert into exchange ({', '.join(columns)}) values ({parameters})",  # noqa: S608  the names are constants
        _values(columns, entry.hide),
    )
    entry.id, entry.cursor = cursor.lastrowid, (0, 0)
    for each in entry.attachments:
        connection.execute(
            "insert or ignore into attachment values (?, ?, ?)", (each.digest, each.media_type, each.data)
        )
        connection.execute("insert or ignore into exchange_attachment values (?, ?)", (entry.id, each.digest))


def _row_exists(connection: sqlite3.Connection, entry: Entry) -> bool:
    """Whether its row is in this file: the file may have been replaced, or the row deleted, during the reply."""
    columns = entry.columns
    row = connection.execute("select session, began from exchange where id = ?", (entry.id,)).fetchone()
    return bool(row == (columns["session"], columns["began"]))


def _insert_events(connection: sqlite3.Connection, entry: Entry) -> None:
    if not _row_exists(connection, entry):
        _insert(connection, entry)
    batches, cursor = entry.source(entry.cursor)
    for seconds, names, data in batches:
        text = entry.hide(encode_events(names, data))
        try:
            connection.execute(_INSERT_ARRIVAL, (entry.id, seconds, text))
        except UnicodeEncodeError:  # rare; checking each text beforehand would double the cost
            connection.execute(_INSERT_ARRIVAL, (entry.id, seconds, fix_surrogates(text)))
    entry.cursor = cursor


def _values(columns: Mapping[str, Any], hide: Callable[[str], str]) -> list[Any]:
    values = {name: fix_surrogates(value) if isinstance(value, str) else value for name, value in columns.items()}
    return [hide(value) if isinstance(value, str) and name in _FROM_SERVER else value for name, value in values.items()]
