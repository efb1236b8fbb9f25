"""The state of batches as an output of the cell that made them, kept up to date in the background.

A thread can update an output that is there, also when its cell has ended, but not add one: so it is published at once.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from ...concurrency import Lock

_SECONDS_BETWEEN = 0.5


class Watched(Protocol):
    """Something whose state changes in the background."""

    shown_in: int | None

    @property
    def done(self) -> bool: ...

    def watch(self, listener: Callable[[Any], object]) -> None: ...

    def _repr_mimebundle_(self) -> dict[str, str]: ...


def show(watched: Watched) -> None:
    """Shows the state in an output that is updated until it is done; in plain Python, nothing."""
    running = shell()
    if running is None:
        return
    watched.shown_in = running.execution_count
    if not _updates(running):
        print(watched._repr_mimebundle_()["text/plain"])
        return
    status = BatchStatus(watched, running.display_pub)
    watched.watch(status.update)
    status.update(watched)


def show_once(watched: Watched) -> None:
    """The same, unless an output of this cell shows it."""
    running = shell()
    if running is None:
        print(watched._repr_mimebundle_()["text/plain"])
    elif watched.shown_in != running.execution_count:
        show(watched)


def _updates(running: Any) -> bool:
    """Whether an output can be updated: a terminal would print each state below the last."""
    return "Terminal" not in type(running).__name__


def shell() -> Any:
    """The shell that runs; `None` in plain Python."""
    running = sys.modules.get("IPython")
    return None if running is None else running.get_ipython()


class BatchStatus:
    """An output that holds the state of `watched`.

    Args:
        publisher: That of the shell whose cell shows it. IPython's own functions would look for a shell at each update,
            and where that one has just ended, create another.
    """

    def __init__(self, watched: Watched, publisher: Any) -> None:
        self._publish = publisher.publish
        self._transient = {"display_id": uuid.uuid4().hex}
        self._lock = Lock()
        self._bundle = watched._repr_mimebundle_()
        self._next = 0.0
        self._publish(self._bundle, transient=self._transient)

    def update(self, watched: Watched) -> None:
        """Shows the state as it is now, unless that was just done."""
        with self._lock:
            if not watched.done and time.monotonic() < self._next:
                return
            bundle = watched._repr_mimebundle_()
            if bundle != self._bundle:
                self._publish(bundle, transient=self._transient, update=True)
                self._bundle, self._next = bundle, time.monotonic() + _SECONDS_BETWEEN
