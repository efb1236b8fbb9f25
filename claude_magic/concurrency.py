"""What a fork does to locks, threads and connections: the one place that knows of it.

A child has only the thread that forked. A lock that another thread held stays locked in it for ever, a connection is
still the parent's, and a thread that should do something is not there. So locks of ours are new in a child, and
whoever keeps a thread, a connection or a process forgets it there.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[[], object])

_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
_forgets: list[Callable[[], Any]] = []  # each gives what to call, or `None` if its owner is gone


class Lock:
    """A lock that is free in a child, whoever held it when the process forked.

    Args:
        reentrant: Whether the thread that holds it may take it again.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._new: Callable[[], Any] = threading.RLock if reentrant else threading.Lock
        self._lock = self._new()
        _locks.add(self)

    def acquire(self, timeout: float = -1) -> bool:
        """Whether it was free within so many seconds; -1 waits for it."""
        return bool(self._lock.acquire(timeout=timeout))

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Be free."""
        self._lock = self._new()


def in_child(forget: F) -> F:
    """Call `forget` in each child, once the locks are free; a method is called as long as its object lives."""
    _forgets.append(weakref.WeakMethod(forget) if isinstance(forget, MethodType) else lambda: forget)
    return forget


def _forked() -> None:
    for lock in list(_locks):
        lock.renew()
    _forgets[:] = [each for each in _forgets if each() is not None]
    for each in list(_forgets):
        if (forget := each()) is not None:
            forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
