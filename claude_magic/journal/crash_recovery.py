"""Completes exchanges whose kernel died during a reply: the part received becomes the reply."""

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

KERNEL_DIED = "the kernel died during this reply; the part received is kept."
_CLOCK_TOLERANCE = timedelta(seconds=5)  # the tolerance between two clocks

_own_sessions: set[str] = set()  # the session names of this process


def new_session_name() -> str:
    """A new session name for this kernel, which includes the machine and the process id."""
    name = f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    _own_sessions.add(name)
    return name


def complete_unfinished(connection: sqlite3.Connection) -> None:
    """Completes the unfinished rows of kernels that no longer run."""
    unfinished = connection.execute("select id, began, session from exchange where ended is null").fetchall()
    for number, began, session in unfinished:
        if not may_run(session, began):
            arrivals = connection.execute(
                "select seconds, events from arrival where exchange_id = ? order by id", (number,)
            )
            _complete(connection, number, began, rows.events(arrivals))


def _complete(connection: sqlite3.Connection, number: int, began: str, events: list[TimedEvent]) -> None:
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
            KERNEL_DIED,
            number,
        ),
    )


def may_run(session: str, began: str) -> bool:
    """Whether the kernel of this session may still run; `True` for other machines."""
    machine, _, rest = session.partition("-")
    process = rest.partition("-")[0]
    if machine != _machine() or not process.isdecimal() or os.name != "posix":
        return machine != _machine()
    if int(process) == os.getpid():
        return session in _own_sessions
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return not _is_other_process(int(process), began)


def _is_other_process(process: int, began: str) -> bool:
    """Whether the process has ended, or started after `began`: process ids are reused, in containers at once.

    `False` if that cannot be determined.
    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (state, starttime)
    """
    try:
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        seconds = float(Path("/proc/uptime").read_text().split()[0]) - int(fields[18]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return False
    started = datetime.now(timezone.utc) - timedelta(seconds=seconds)
    return state in ("Z", "X") or started - datetime.fromisoformat(began) > _CLOCK_TOLERANCE


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
