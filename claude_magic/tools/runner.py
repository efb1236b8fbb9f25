"""Runs tool calls.

A function runs in the thread of the cell, so that Stop interrupts it and its output appears in the cell. Async
functions, and those that may run in parallel, run in threads that are waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import json
import os
import time
import traceback
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..concurrency import Event, run_coroutine, start_thread
from ..errors import ClaudeError
from ..wire import Block
from ..wire.tool import DONE, EDIT_NOTE, EDITED, FAILED, RUNNING, Call, Content, Items, Tool
from .calls import skip
from .items import drain, drain_async

_TICK = 0.1  # seconds between checks whether a call has ended
_CLEANUP = 1.0  # seconds that a cancelled call has to clean up
_FRAMES = 3  # of a traceback that is sent
_MOST_OF_AN_ERROR = 4_000  # characters
_PACKAGE = str(Path(__file__).parents[1])

Blocks = Callable[[str, Any], tuple[Block, ...]]
"""Converts a tool's name and the value it returned to the blocks of a result."""


def run(
    calls: Iterable[Call], tools: Mapping[str, Tool], content: Blocks, tell: Callable[[tuple[Call, ...]], object]
) -> tuple[tuple[Call, ...], bool]:
    """Runs the calls in state `running`.

    Args:
        tell: Called with all calls after each change.

    Returns:
        The calls with their results, and whether all ran to their end (`False` if the user stopped them).
    """
    current = list(calls)
    running = [index for index, call in enumerate(current) if call.state == RUNNING]
    at_once = [index for index in running if tools[current[index].name].parallel]
    workers: dict[int, _Worker] = {}

    def end(index: int, produce: Callable[[], Any]) -> None:
        current[index] = _finish(current[index], produce, content)
        if index in workers:
            current[index] = replace(current[index], seconds=workers[index].seconds)
        with contextlib.suppress(Exception):
            tell(tuple(current))

    try:
        if len(at_once) > 1:
            workers.update((index, _Worker(_call(tools, current[index]))) for index in at_once)
            for worker in workers.values():
                worker.start()
        for index in running:
            if index not in workers:
                end(index, partial(_await, _call(tools, current[index])))
        for index, worker in workers.items():
            end(index, worker.result)
    except KeyboardInterrupt:
        for worker in workers.values():
            worker.cancel()
        return skip(current, "the user stopped it"), False
    return tuple(current), True


def _call(tools: Mapping[str, Tool], call: Call) -> Callable[[], Any]:
    function = tools[call.name].run
    assert function is not None  # noqa: S101  else it was not offered to be run here
    return partial(function, call.arguments)


def _await(produce: Callable[[], Any]) -> Any:
    """The value of `produce`; an awaitable is awaited in another thread, since the kernel's own loop is busy."""
    value = produce()
    if not _is_async(value):
        return drain(value)
    worker = _Worker(lambda: value)
    try:
        worker.start()
        return worker.result()
    except KeyboardInterrupt:
        worker.cancel()
        raise


def _finish(call: Call, produce: Callable[[], Any], content: Blocks) -> Call:
    """`call` with its result or its error, from which keys are redacted as from any text."""
    began = time.monotonic()
    try:
        value = produce()
        seconds = time.monotonic() - began
        blocks = (*_with_edits(call), *content(call.name, value))
        if isinstance(value, Items) and value.error is not None:
            blocks = (*blocks, *content(call.name, _report(value.error)))
            return replace(call, state=FAILED, content=blocks, seconds=seconds)
        state = FAILED if isinstance(value, Content) and value.failed else DONE
        return replace(call, state=state, content=blocks, seconds=seconds)
    except KeyboardInterrupt:
        raise
    except ClaudeError as error:
        report = str(error)
    except BaseException as error:  # SystemExit included, which would end the kernel
        report = _report(error)
    return replace(call, state=FAILED, content=content(call.name, report), seconds=time.monotonic() - began)


def _with_edits(call: Call) -> Iterator[Block]:
    """A note for Claude if the user changed the arguments of the call."""
    if call.note == EDITED:
        arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
        yield {"type": "text", "text": f"{EDIT_NOTE}{arguments}.)"}


def _report(error: BaseException) -> str:
    """A short traceback: the last frames, without those of this package, and file names without folders."""
    try:
        trace = traceback.TracebackException.from_exception(error)
        frames = [frame for frame in trace.stack if not frame.filename.startswith(_PACKAGE)]
        for frame in frames:
            frame.filename = "<notebook>" if "ipykernel_" in frame.filename else os.path.basename(frame.filename)
        trace.stack = traceback.StackSummary.from_list(frames[-_FRAMES:])
        text = "".join(trace.format(chain=False))
    except Exception:  # its own __str__ may fail
        text = type(error).__name__
    text = text.strip()
    if (out := len(text) - _MOST_OF_AN_ERROR) <= 0:
        return text
    half = _MOST_OF_AN_ERROR // 2  # the kind of the error is before a long message, which often ends with the cause
    return f"{text[:half]}\n  … {out:,} characters left out …\n{text[-half:]}"


class _Worker:
    """A thread in which a call runs, with an event loop of its own if it is async.

    Attributes:
        seconds: How long the call ran; 0 until it has ended.
    """

    def __init__(self, produce: Callable[[], Any]) -> None:
        self._produce = produce
        self._outcome: tuple[Any, BaseException | None] = (None, None)
        self.seconds = 0.0
        self._cancelled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._done = Event()
        self._context = contextvars.copy_context()

    def start(self) -> None:
        start_thread(self._context.run, self._run, name="tool")

    def result(self) -> Any:
        """Waits for the call, and returns its value or raises its exception."""
        while not self._done.wait(_TICK):
            pass
        value, error = self._outcome
        if error is not None:
            raise error
        return value

    def cancel(self) -> None:
        """Cancels the call if it is async, and waits for its cleanup; a thread cannot be stopped."""
        self._cancelled = True
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._task.cancel)
                self._done.wait(_CLEANUP)

    def _run(self) -> None:
        began = time.monotonic()
        try:
            value = self._produce()
            value = run_coroutine(self._in_loop(value)) if _is_async(value) else drain(value)
            self._outcome = (value, None)
        except BaseException as error:
            self._outcome = (None, error)
        finally:
            self.seconds = time.monotonic() - began
            self._done.set()

    async def _in_loop(self, value: Any) -> Any:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self._cancelled:
            raise asyncio.CancelledError
        if inspect.isawaitable(value):
            value = await value
        return await drain_async(value) if isinstance(value, AsyncIterable) else drain(value)


def _is_async(value: Any) -> bool:
    return inspect.isawaitable(value) or isinstance(value, AsyncIterable)
