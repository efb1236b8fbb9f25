"""The journal's file: opened so that only its owner can read it, and put aside if it is damaged.

Write-ahead logging lets many kernels write at once, each in an immediate transaction: deferred ones
lose rows even so. SQLite gives the files beside it (-wal, -shm) the mode of the file itself.
Source: https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from .migrations import migrate, refuse_newer

BUSY = 5.0  # seconds that SQLite waits for another writer
_LONG_LOG = 1_000_000  # bytes
_BESIDE = ("", "-wal", "-shm")


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the journal, which is made if it is not there.

    Raises:
        sqlite3.Error, OSError: It cannot be opened.
        SettingsError: A later version has written it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)  # whatever the umask
    _close_to_others(path)
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        refuse_newer(connection)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma secure_delete = on")
        connection.execute("pragma wal_autocheckpoint = 16000")  # pages; before that, `tidied` does it unseen
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _close_to_others(path: Path) -> None:
    """Take away what others may do with the files, such as after they were copied."""
    for ending in _BESIDE:
        found = path.with_name(path.name + ending)
        with suppress(OSError):
            if found.stat().st_mode & 0o077:
                found.chmod(0o600)


def checkpoint(connection: sqlite3.Connection, path: Path) -> None:
    """Move what is in the log into the file, if it has grown: the one thing here that waits for the disk."""
    with suppress(OSError, sqlite3.Error):
        if path.with_name(path.name + "-wal").stat().st_size > _LONG_LOG:
            connection.execute("pragma wal_checkpoint(truncate)")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing."""
    connection.execute("begin immediate")
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise


def connect_or_replace(path: Path, told: Callable[[str], None]) -> sqlite3.Connection:
    """As `opened`; a damaged file is moved aside and kept, and a new one begun.

    Args:
        told: Gets the sentence that says so.
    """
    seen = number(path)
    try:
        return connect(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        if said := aside(path, seen):
            told(said)
        return connect(path)


def number(path: Path) -> int:
    """Of the file that is there now; -1 if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def aside(path: Path, damaged: int) -> str:
    """Move a damaged journal out of the way.

    Args:
        damaged: Its number; if another file is there by now, another kernel has done it.

    Returns:
        A sentence that says where it is; `""` if it was done already.
    """
    with _alone(path):
        return _aside(path) if number(path) == damaged else ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process after another; where files cannot be locked, at once."""
    try:
        import fcntl
    except ImportError:  # Windows: a file that is open elsewhere cannot be moved
        yield
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _aside(path: Path) -> str:
    kept = path.with_name(f"{path.stem}.damaged-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{os.getpid()}{path.suffix}")
    for ending in _BESIDE:
        found = path.with_name(path.name + ending)
        if found.exists():
            found.rename(kept.with_name(kept.name + ending))
    return f"the journal was damaged: it is kept as {kept}, and a new one was begun"


def is_damage(error: BaseException) -> bool:
    """Whether the file is no journal, or one that is broken."""
    said = str(error)
    return isinstance(error, sqlite3.DatabaseError) and ("not a database" in said or "malformed" in said)


def is_lock(error: BaseException) -> bool:
    """Whether another process is writing."""
    return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))


def reason(error: BaseException) -> str:
    """Why the journal could not be written, in a few words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
