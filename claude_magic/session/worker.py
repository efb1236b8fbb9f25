"""Exchanges in threads of their own, while the reader's thread shows what has arrived.

The reader's thread only ever waits for a tenth of a second, so that an interrupt is obeyed at
once whatever the network does, and a display that fails does not lose the reply.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from ..api.accumulator import Accumulator
from ..api.interrupt import Interrupt
from ..concurrency import Event, SimpleQueue, in_child, start_thread
from ..wire import Exchange

_TICK = 0.1  # seconds between two looks at what has arrived


class _Worker:
    """A thread that is kept for the next exchange: to begin one costs about a third of a small exchange."""

    def __init__(self) -> None:
        self.work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        start_thread(self._go_on, name="exchange")

    def _go_on(self) -> None:
        while True:
            self.work.get()()


_idle: list[_Worker] = []


@in_child
def _forget() -> None:
    _idle.clear()


class Worker:
    """An exchange that has been begun.

    Attributes:
        outcome: The exchange, or what was raised; `None` until it is over.
    """

    def __init__(self, exchange: Callable[[], Exchange], growing: Accumulator, interrupt: Interrupt) -> None:
        self.growing = growing
        self.interrupt = interrupt
        self.outcome: Exchange | BaseException | None = None
        self._done = Event()
        try:
            self._worker = _idle.pop()
        except IndexError:
            self._worker = _Worker()
        self._worker.work.put(lambda: self._run(exchange))

    def wait(self, seconds: float) -> bool:
        """Whether it is over, at the latest after so many seconds."""
        return self._done.wait(seconds)

    def result(self) -> Exchange:
        """The exchange; raises what was raised."""
        if isinstance(self.outcome, Exchange):
            return self.outcome
        assert self.outcome is not None  # noqa: S101  it is over
        raise self.outcome

    def _run(self, exchange: Callable[[], Exchange]) -> None:
        try:
            self.outcome = exchange()
        except BaseException as error:
            self.outcome = error
        finally:
            _idle.append(self._worker)
            self._done.set()


def wait(several: Sequence[Worker], show: Callable[[], object]) -> bool:
    """Wait until all are over, showing what has arrived; whether the reader let them end."""
    try:
        for running in several:
            while not running.wait(_TICK):
                with contextlib.suppress(Exception):
                    show()
    except KeyboardInterrupt:
        for running in several:
            running.interrupt.set()
        return False
    return True
