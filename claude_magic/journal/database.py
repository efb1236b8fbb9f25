"""The journal's file: only its owner can read it, and a damaged one is moved aside.

With write-ahead logging many kernels can write at the same time, each in an immediate transaction; deferred
transactions would lose rows. SQLite gives the other files (-wal, -shm) the mode of the file itself.
Source: https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from ..browser import in_browser
from .migrations import migrate, refuse_newer

BUSY_TIMEOUT = 5.0  # seconds that SQLite waits for another writer
_MAX_LOG = 1_000_000  # bytes of the write-ahead log, after which a checkpoint is made
_FILE_SUFFIXES = ("", "-wal", "-shm")


def connect(path: Path) -> sqlite3.Connection:
    """Opens the journal, which is created if it does not exist.

    Raises:
        sqlite3.Error, OSError: It cannot be opened.
        SettingsError: A later version has written it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)  # whatever the umask
    _restrict_access(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        refuse_newer(connection)
        connection.execute(f"pragma journal_mode = {'memory' if in_browser() else 'wal'}")
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma secure_delete = on")
        connection.execute("pragma wal_autocheckpoint = 16000")  # pages; `checkpoint` is usually earlier
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _restrict_access(path: Path) -> None:
    """Removes the permissions of other users, which a copied file may have."""
    for suffix in _FILE_SUFFIXES:
        file = path.with_name(path.name + suffix)
        with suppress(OSError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def checkpoint(connection: sqlite3.Connection, path: Path) -> None:
    """Moves a large write-ahead log into the file: the only operation here that waits for the disk."""
    with suppress(OSError, sqlite3.Error):
        if path.with_name(path.name + "-wal").stat().st_size > _MAX_LOG:
            connection.execute("pragma wal_checkpoint(truncate)")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A transaction: all statements take effect, or none."""
    connection.execute("begin immediate")
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise


def connect_or_replace(path: Path) -> tuple[sqlite3.Connection, str]:
    """Opens the journal as `connect` does; a damaged file is moved aside, and a new one created.

    Returns:
        The connection, and a sentence that says where the damaged file is, or `""`.
    """
    damaged = file_number(path)
    try:
        return connect(path), ""
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        note = move_aside(path, damaged)
        return connect(path), note


def file_number(path: Path) -> int:
    """The inode of the file; -1 if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return -1


def move_aside(path: Path, damaged: int) -> str:
    """Renames a damaged journal.

    Args:
        damaged: Its file number; if the path has another file now, another kernel has moved the damaged one.

    Returns:
        A sentence that says where it is; `""` if another kernel has moved it.
    """
    with _folder_lock(path):
        return _rename_files(path) if file_number(path) == damaged else ""


@contextmanager
def _folder_lock(path: Path) -> Iterator[None]:
    """A lock of the folder between processes; no lock where files cannot be locked."""
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


def _rename_files(path: Path) -> str:
    time = f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}"
    target = path.with_name(f"{path.stem}.damaged-{time}-{os.getpid()}{path.suffix}")
    for suffix in _FILE_SUFFIXES:
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(target.with_name(target.name + suffix))
    return f"the journal was damaged: it is kept as {target}, and a new one was created"


def is_damage(error: BaseException) -> bool:
    """Whether the file is damaged, or not a database."""
    text = str(error)
    return isinstance(error, sqlite3.DatabaseError) and ("not a database" in text or "malformed" in text)


def is_lock(error: BaseException) -> bool:
    """Whether another process holds the file locked."""
    return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))


def reason(error: BaseException) -> str:
    """The reason why the journal could not be read or written, in a few words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
