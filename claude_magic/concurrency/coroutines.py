"""What `threads` offers, in a web page: Pyodide has no threads, and one event loop, the browser's.

With JavaScript Promise Integration (JSPI) the browser switches stacks: what would be a thread is a coroutine that
calls an ordinary function, and each wait within it lets the others go on (`run_sync`). A browser without JSPI can wait
for nothing: there, what is started runs at once, in its caller.

The browser calls back a widget on a stack that cannot be switched: such a callback starts a coroutine (`from_widget`).
Source: https://pyodide.org/en/stable/usage/api/python-api/ffi.html#pyodide.ffi.run_sync
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, TypeVar

from js import WebAssembly
from pyodide.ffi import can_run_sync, run_sync

from . import threads

_POLL = 0.02  # seconds between two looks at futures
_GARBAGE = 50_000  # containers made since the last collection, from which one is due
_DEADLOCK = "a lock is taken by code that cannot go on before this ends"

T = TypeVar("T")

_tasks: set[asyncio.Future[None]] = set()
runs_in_caller = threads.runs_in_caller


def can_run_beside() -> bool:
    """Whether what `start_thread` starts runs beside its caller."""
    return hasattr(WebAssembly, "Suspending")  # part of JSPI


def start_thread(function: Callable[..., object], *args: object, name: str) -> None:
    """Runs `function(*args)` as a coroutine; in a browser without JSPI at once, in the caller."""
    if can_run_beside():
        _start(partial(function, *args), name)
    else:
        threads.run_in_caller(function, *args)


def from_widget(function: Callable[..., object], *args: object) -> None:
    """Calls `function(*args)` from the callback of a widget, where nothing can be waited for: as a coroutine."""
    _start(partial(function, *args), "widget")


def _start(call: Callable[[], object], name: str) -> None:
    async def run() -> None:
        call()

    task = asyncio.ensure_future(run())
    if isinstance(task, asyncio.Task):
        task.set_name(f"claude-magic {name}")
    _tasks.add(task)  # the loop holds it weakly
    task.add_done_callback(_tasks.discard)


def start_timer(seconds: float, function: Callable[..., object], *args: object) -> None:
    """Runs `function(*args)` later, unless the page is closed before."""
    asyncio.get_event_loop().call_later(seconds, partial(start_thread, function, *args, name="timer"))


def sleep(seconds: float) -> None:
    """Waits; the others go on meanwhile, if the browser can switch stacks."""
    if can_run_sync():
        wait_for(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Waits for `coroutine`, and returns its result.

    Raises:
        ClaudeError: It waits for something, and this browser cannot.
    """
    if can_run_sync():
        return wait_for(coroutine)
    return threads.run_to_end(coroutine, "this browser has no JSPI (JavaScript Promise Integration)")


class _GarbageCollection:
    """Keeps Python from collecting garbage by itself while a stack is suspended.

    Pyodide 314.0 dies ("memory access out of bounds") when an increment of the collector follows the frames of a
    suspended stack. A whole collection follows none: it is done here when one is due.
    Source: https://github.com/pyodide/pyodide/issues/6464
    """

    def __init__(self) -> None:
        self._suspended = 0
        self._enabled = False

    def __enter__(self) -> None:
        if not self._suspended:
            self._enabled = gc.isenabled()
            gc.disable()
        self._suspended += 1

    def __exit__(self, *_: object) -> None:
        self._suspended -= 1
        if self._enabled and gc.get_count()[0] > _GARBAGE:
            gc.collect()
        if self._enabled and not self._suspended:
            gc.enable()


_garbage_collection = _GarbageCollection()


def wait_for(awaitable: Awaitable[T]) -> T:
    """The result of `awaitable`; meanwhile this stack is suspended, and the others go on."""
    with _garbage_collection:
        result: T = run_sync(awaitable)
        return result


def in_main_thread() -> bool:
    """Whether this is the thread that receives signals: there are none."""
    return False


class Event:
    """As `threading.Event`."""

    def __init__(self) -> None:
        self._set = False
        self._waiting: set[asyncio.Future[None]] = set()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            if can_run_sync():
                wait_for(self._come(timeout))
            elif timeout is None:
                raise RuntimeError(_DEADLOCK)
            else:
                time.sleep(max(timeout, 0.0))
        return self._set

    async def _come(self, timeout: float | None) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait({future}, timeout=timeout)
        finally:
            self._waiting.discard(future)


class Lock:
    """A lock between coroutines.

    Args:
        reentrant: Whether the coroutine that holds it may take it again.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._reentrant = reentrant
        self._owner: object = None
        self._count = 0
        self._free = Event()

    def acquire(self, timeout: float = -1) -> bool:
        """Takes the lock, and returns whether that was possible within `timeout` seconds; -1 waits for ever."""
        owner = _current()
        if self._count and self._reentrant and self._owner is owner:
            self._count += 1
            return True
        end = None if timeout < 0 else time.monotonic() + timeout
        while self._count:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._free.clear()
            self._free.wait(left)
        self._owner, self._count = owner, 1
        return True

    def release(self) -> None:
        if not self._count:
            raise RuntimeError("the lock is not taken")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._free.set()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def renew(self) -> None:
        """Makes the lock free."""
        self._owner, self._count = None, 0


def _current() -> object:
    """What runs now: a coroutine, or the cell."""
    with contextlib.suppress(RuntimeError):  # no loop runs
        if (task := asyncio.current_task()) is not None:
            return task
    return _tasks


fork_lock = Lock(reentrant=True)  # there are no processes


def thread_pool(size: int, *, name: str) -> Executor:
    """An executor with at most `size` coroutines."""
    return Pool(size, name) if can_run_beside() else threads.Caller()


class Pool(Executor):
    """Runs at most `size` calls at the same time, as coroutines, in the order in which they were submitted."""

    def __init__(self, size: int, name: str) -> None:
        self._name = name
        self._free = size
        self._pending: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._pending.append((future, partial(function, *args, **kwargs)))
        self._begin()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            for future, _ in self._pending:
                future.cancel()
        while wait and any(not future.done() for future, _ in self._pending):
            sleep(_POLL)

    def _begin(self) -> None:
        while self._free and self._pending:
            self._free -= 1
            start_thread(self._run, *self._pending.popleft(), name=self._name)

    def _run(self, future: Future[Any], call: Callable[[], Any]) -> None:
        try:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)
        finally:
            self._free += 1
            self._begin()


def completed(pending: Collection[Future[T]], *, timeout: float, first: bool = False) -> set[Future[T]]:
    """Waits for futures, at most `timeout` seconds, and returns those that are done.

    Args:
        first: Whether one of them is enough.
    """
    end = time.monotonic() + timeout
    while True:
        done = {future for future in pending if future.done()}
        left = end - time.monotonic()
        if len(done) == len(pending) or (first and done) or left <= 0:
            return done
        sleep(min(left, _POLL))
