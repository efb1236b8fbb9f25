"""Completes exchanges whose kernel died during a reply: what had arrived becomes the reply."""

from __future__ import annotations

import hashlib
import os
import platform
import sqlite3
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..wire import TimedEvent
from . import rows
from .deletion import utc

DIED = "the kernel died while this reply was written; what had arrived by then is kept."
_CLOCKS = timedelta(seconds=5)  # the tolerance between two clocks

_ours: set[str] = set()  # the session names of this process


def session() -> str:
    """A new session name for this kernel; it holds the machine and the process id."""
    made = f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    _ours.add(made)
    return made


def settle(connection: sqlite3.Connection) -> None:
    """Completes the unfinished rows of kernels that no longer run."""
    unended = connection.execute("select id, began, session from exchange where ended is null").fetchall()
    for number, began, of in unended:
        if not _may_live(of, began):
            found = connection.execute(
                "select seconds, events from arrival where exchange_id = ? order by id", (number,)
            )
            _end(connection, number, began, rows.events(found))


def _end(connection: sqlite3.Connection, number: int, began: str, events: list[TimedEvent]) -> None:
    message = rows.fold_message(events)
    seconds = events[-1].seconds if events else 0.0
    connection.execute(
        "update exchange set ended = ?, seconds = ?, message = ?, reply = ?, input_tokens = ?, error_type = ?, "
        "error = ? where id = ? and ended is null",
        (
            utc(datetime.fromisoformat(began) + timedelta(seconds=seconds)),
            seconds,
            rows.as_json(message.body) if message.body else None,
            message.text,
            message.usage.get("input_tokens"),
            "StreamError",
            DIED,
            number,
        ),
    )


def _may_live(of: str, began: str) -> bool:
    """Whether the kernel of this session may still run; one of another machine may."""
    machine, _, rest = of.partition("-")
    number = rest.partition("-")[0]
    if machine != _machine() or not number.isdecimal() or os.name != "posix":
        return machine != _machine()
    if int(number) == os.getpid():
        return of in _ours
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return not _is_another(int(number), began)


def _is_another(process: int, began: str) -> bool:
    """Whether a process has ended, or started after `began`: process ids are reused, in containers at once.

    `False` where that cannot be determined.
    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (state, starttime)
    """
    try:
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        seconds = float(Path("/proc/uptime").read_text().split()[0]) - int(fields[18]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return False
    started = datetime.now(timezone.utc) - timedelta(seconds=seconds)
    return state in ("Z", "X") or started - datetime.fromisoformat(began) > _CLOCKS


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
