"""All threads, timers, locks, queues and event loops of the package start here, and survive a fork here.

A kernel without threads (Pyodide in a browser) can put something else in this module; an architecture test holds
that nothing else imports `threading`, `queue` or `concurrent.futures`.

After a fork a child has only the thread that forked. A lock that another thread held stays locked for ever, a
connection is still the parent's, and a thread that should do something is not there. So `Lock`s are new in a child,
and whoever keeps a thread, a connection or a process forgets it there (`in_child`). What must not be open while the
process forks is closed just before (`before_fork`); what a fork must not cut in two runs `with fork_lock`.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Collection, Coroutine
from concurrent import futures
from concurrent.futures import CancelledError, Executor, Future
from queue import Empty, SimpleQueue
from threading import Event, Thread
from types import MethodType
from typing import Any, TypeVar

__all__ = [
    "CancelledError",
    "Empty",
    "Event",
    "Executor",
    "Future",
    "Lock",
    "SimpleQueue",
    "Thread",
    "ThreadLocal",
    "before_fork",
    "completed",
    "fork_lock",
    "in_child",
    "in_main_thread",
    "run_coroutine",
    "start_thread",
    "start_timer",
    "thread",
    "thread_pool",
]

ThreadLocal = threading.local

F = TypeVar("F", bound=Callable[[], object])
T = TypeVar("T")

_locks: weakref.WeakSet[Lock] = weakref.WeakSet()
_Callbacks = list[Callable[[], Any]]  # each returns what to call, or `None` if its owner is gone
_fork_callbacks: _Callbacks = []
_child_callbacks: _Callbacks = []


def thread(function: Callable[..., object], *args: object, name: str) -> Thread:
    """A thread that does not keep the process alive; not started yet."""
    return Thread(target=function, args=args, name=f"claude-magic {name}", daemon=True)


def start_thread(function: Callable[..., object], *args: object, name: str) -> Thread:
    """Runs `function(*args)` in a thread that does not keep the process alive."""
    started = thread(function, *args, name=name)
    started.start()
    return started


def start_timer(seconds: float, function: Callable[..., object], *args: object) -> None:
    """Runs `function(*args)` later, unless the process ends before."""
    timer = threading.Timer(seconds, function, args)
    timer.daemon = True
    timer.start()


def thread_pool(size: int, *, name: str) -> Executor:
    """An executor with at most `size` threads."""
    return futures.ThreadPoolExecutor(size, thread_name_prefix=f"claude-magic {name}")


def completed(pending: Collection[Future[T]], *, timeout: float, first: bool = False) -> set[Future[T]]:
    """Waits for futures, at most `timeout` seconds, and returns those that are done.

    Args:
        first: Whether one of them is enough.
    """
    return futures.wait(pending, timeout, futures.FIRST_COMPLETED if first else futures.ALL_COMPLETED).done


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs `coroutine` in a new event loop of this thread, and returns its result."""
    import asyncio

    return asyncio.run(coroutine)


def in_main_thread() -> bool:
    """Whether this is the thread that receives signals."""
    return threading.current_thread() is threading.main_thread()


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
        """Takes the lock, and returns whether that was possible within `timeout` seconds; -1 waits for ever."""
        return bool(self._lock.acquire(timeout=timeout))

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Makes the lock free."""
        self._lock = self._new()


fork_lock = Lock(reentrant=True)  # held by a thread that forks, from before the fork until after it


def before_fork(close: F) -> F:
    """Calls `close` before each fork, holding `fork_lock`; a method is called as long as its object lives."""
    _fork_callbacks.append(_reference(close))
    return close


def in_child(forget: F) -> F:
    """Calls `forget` in each child, once the locks are free; a method is called as long as its object lives."""
    _child_callbacks.append(_reference(forget))
    return forget


def _reference(function: Callable[[], object]) -> Callable[[], Any]:
    return weakref.WeakMethod(function) if isinstance(function, MethodType) else lambda: function


def _call(callbacks: _Callbacks) -> None:
    callbacks[:] = [each for each in callbacks if each() is not None]
    for each in list(callbacks):
        if (function := each()) is not None:
            function()


def _before_fork() -> None:
    fork_lock.acquire()
    _call(_fork_callbacks)


def _after_fork_in_child() -> None:
    for lock in list(_locks):
        lock.renew()
    _call(_child_callbacks)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=fork_lock.release, after_in_child=_after_fork_in_child)
