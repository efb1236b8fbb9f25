"""Threads, timers, locks and queues, and how they survive a fork.

Where no thread can be started (a limit of the machine), what should run in one runs at once, in its caller.

After a fork a child has only the thread that forked. A lock that another thread held stays locked for ever, a
connection is still the parent's, and a thread that should do something is not there. So `Lock`s are new in a child,
and whoever keeps a thread, a connection or a process forgets it there (`in_child`). What must not be open while the
process forks is closed just before (`before_fork`); what a fork must not cut in two runs `with fork_lock`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Callable, Collection, Coroutine
from concurrent import futures
from concurrent.futures import CancelledError, Executor, Future
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import sleep
from types import MethodType
from typing import Any, TypeVar

from ..errors import ClaudeError

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
    "can_run_beside",
    "completed",
    "fork_lock",
    "from_widget",
    "in_child",
    "in_main_thread",
    "run_coroutine",
    "runs_in_caller",
    "sleep",
    "start_thread",
    "start_timer",
    "thread",
    "thread_pool",
]

ThreadLocal = threading.local
_caller = ThreadLocal()

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
    """Runs `function(*args)` in a thread that does not keep the process alive; else at once, in the caller."""
    started = thread(function, *args, name=name)
    try:
        started.start()
    except RuntimeError:  # can't start new thread
        run_in_caller(function, *args)
    return started


def run_in_caller(function: Callable[..., object], *args: object) -> None:
    """Runs here what should run in a thread; like a thread, it passes on no ordinary exception."""
    before, _caller.runs = runs_in_caller(), True
    try:
        function(*args)
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        _caller.runs = before


def runs_in_caller() -> bool:
    """Whether this code should run in a thread, and runs in its caller instead, which shows nothing meanwhile."""
    return getattr(_caller, "runs", False)


def can_run_beside() -> bool:
    """Whether what `start_thread` starts runs beside its caller now."""
    probe = thread(bool, name="probe")
    try:
        probe.start()
    except RuntimeError:
        return False
    probe.join()
    return True


def from_widget(function: Callable[..., object], *args: object) -> None:
    """Calls `function(*args)` from the callback of a widget."""
    function(*args)


def start_timer(seconds: float, function: Callable[..., object], *args: object) -> None:
    """Runs `function(*args)` later, unless the process ends before, or can start no thread."""
    timer = threading.Timer(seconds, function, args)
    timer.daemon = True
    with contextlib.suppress(RuntimeError):  # can't start new thread
        timer.start()


def thread_pool(size: int, *, name: str) -> Executor:
    """An executor with at most `size` threads."""
    if not can_run_beside():
        return Caller()
    return futures.ThreadPoolExecutor(size, thread_name_prefix=f"claude-magic {name}")


class Caller(Executor):
    """Runs each call when it is submitted, in the thread that submits it."""

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def completed(pending: Collection[Future[T]], *, timeout: float, first: bool = False) -> set[Future[T]]:
    """Waits for futures, at most `timeout` seconds, and returns those that are done.

    Args:
        first: Whether one of them is enough.
    """
    return futures.wait(pending, timeout, futures.FIRST_COMPLETED if first else futures.ALL_COMPLETED).done


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs `coroutine` in a new event loop of this thread, and returns its result."""
    import asyncio

    if runs_in_caller():  # whose loop may be running
        return run_to_end(coroutine, "no thread can be started")
    return asyncio.run(coroutine)


def run_to_end(coroutine: Coroutine[Any, Any, T], why: str) -> T:
    """Runs a coroutine that waits for nothing.

    Args:
        why: Why it may not wait.

    Raises:
        ClaudeError: It waits.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise ClaudeError(f"an async function waits for something, which cannot be waited for here: {why}.")


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
