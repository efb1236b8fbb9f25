"""Running the calls that a message asks for.

A function runs in the thread of the reader, so that Stop reaches it and what it prints stands in the cell.
What is async, and what may run at the same time, runs in threads of its own, which are waited for.
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

from ..concurrency import Event, run_coroutine, thread
from ..errors import ClaudeError
from ..wire import Block
from ..wire.tool import DONE, EDITED, FAILED, RUNNING, Call, Content, Items, Tool
from .calls import skip
from .items import drain, drain_async

_TICK = 0.1  # seconds between two looks at whether a call is over
_LAST_WORDS = 1.0  # seconds that a call which is cancelled has to clear up
_FRAMES = 3  # of a traceback that is sent
_MOST_OF_AN_ERROR = 4_000  # characters
_PACKAGE = str(Path(__file__).parents[1])

Blocks = Callable[[str, Any], tuple[Block, ...]]
"""From a tool's name and what it returned to the blocks of a result."""


def run(
    several: Iterable[Call], tools: Mapping[str, Tool], content: Blocks, tell: Callable[[tuple[Call, ...]], object]
) -> tuple[tuple[Call, ...], bool]:
    """Run the calls that are `running`, and say whether the reader let them end.

    Args:
        tell: Is told of each change.
    """
    made = list(several)
    running = [index for index, call in enumerate(made) if call.state == RUNNING]
    at_once = [index for index in running if tools[made[index].name].parallel]
    workers: dict[int, _Worker] = {}

    def end(index: int, produce: Callable[[], Any]) -> None:
        made[index] = _finish(made[index], produce, content)
        if index in workers:
            made[index] = replace(made[index], seconds=workers[index].seconds)
        with contextlib.suppress(Exception):
            tell(tuple(made))

    try:
        if len(at_once) > 1:
            workers.update((index, _Worker(_call(tools, made[index]))) for index in at_once)
            for worker in workers.values():
                worker.start()
        for index in running:
            if index not in workers:
                end(index, partial(_await, _call(tools, made[index])))
        for index, worker in workers.items():
            end(index, worker.result)
    except KeyboardInterrupt:
        for worker in workers.values():
            worker.cancel()
        return skip(made, "the user stopped it"), False
    return tuple(made), True


def _call(tools: Mapping[str, Tool], call: Call) -> Callable[[], Any]:
    function = tools[call.name].run
    assert function is not None  # noqa: S101  else it was not offered to be run here
    return partial(function, call.arguments)


def _await(produce: Callable[[], Any]) -> Any:
    """What is produced here; if it is to be awaited, by a loop elsewhere, for the kernel's own is busy."""
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
    """`call` with what it produced, or with why it failed; a failure is text like any other, and may hold a key."""
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
        said = str(error)
    except BaseException as error:  # also what would end the kernel
        said = _report(error)
    return replace(call, state=FAILED, content=content(call.name, said), seconds=time.monotonic() - began)


def _with_edits(call: Call) -> Iterator[Block]:
    """What Claude must know: the call that was run is not the one it asked for."""
    if call.note == EDITED:
        told = json.dumps(dict(call.arguments), ensure_ascii=False)
        yield {"type": "text", "text": f"(The user changed the arguments to {told}.)"}


def _report(error: BaseException) -> str:
    """A traceback short enough to be sent: its last frames, without ours, and files without their folders."""
    try:
        trace = traceback.TracebackException.from_exception(error)
        frames = [frame for frame in trace.stack if not frame.filename.startswith(_PACKAGE)]
        for frame in frames:
            frame.filename = "<notebook>" if "ipykernel_" in frame.filename else os.path.basename(frame.filename)
        trace.stack = traceback.StackSummary.from_list(frames[-_FRAMES:])
        text = "".join(trace.format(chain=False))
    except Exception:  # its own __str__ may fail
        text = type(error).__name__
    return text.strip() if len(text) <= _MOST_OF_AN_ERROR else "… " + text[-_MOST_OF_AN_ERROR:].strip()


class _Worker:
    """A thread in which a call runs, with an event loop of its own if it is async.

    Attributes:
        seconds: How long it ran; 0 until it is over.
    """

    def __init__(self, produce: Callable[[], Any]) -> None:
        self._produce = produce
        self._outcome: tuple[Any, BaseException | None] = (None, None)
        self.seconds = 0.0
        self._cancelled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._done = Event()
        self._thread = thread(contextvars.copy_context().run, self._run, name="tool")

    def start(self) -> None:
        self._thread.start()

    def result(self) -> Any:
        """What was produced, once it is; raises what was raised."""
        while not self._done.wait(_TICK):
            pass
        value, error = self._outcome
        if error is not None:
            raise error
        return value

    def cancel(self) -> None:
        """Stop it, if it is async, and let it clear up; a thread cannot be stopped."""
        self._cancelled = True
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._task.cancel)
                self._done.wait(_LAST_WORDS)

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
