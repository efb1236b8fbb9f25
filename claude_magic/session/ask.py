"""Asking, while the reader looks on: one question, or several at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from ..api.accumulator import Accumulator
from ..api.interrupt import Interrupt
from ..errors import ClaudeError, Interrupted
from ..wire import Events, Exchange
from .send import PendingRequest, SessionContext, send
from .worker import Worker, wait

_LAST_WORDS = 0.2  # seconds that a stopped exchange has to be written down
_TICK = 0.1  # seconds between two looks at whether a question that waits for its turn was stopped


class Reader(Protocol):
    """Shows an exchange: while it grows, and when it is done. One with `arrive(events)` is told of each event."""

    def show(self, exchange: Exchange, note: str = "") -> None: ...

    def finish(self, exchange: Exchange) -> None: ...


class Readers(Protocol):
    """Shows several exchanges side by side."""

    def show(self, exchanges: Sequence[Exchange]) -> None: ...


def ask(means: SessionContext, asking: PendingRequest, reader: Reader | None = None) -> Exchange:
    """The exchange that was asked for; look at its `error`.

    Raises:
        CellError: It cannot be sent, such as for a key in it, or a budget.
        SettingsError: Nobody can be asked.
    """
    running = _start(means, asking)
    arrive, cursor = getattr(reader, "arrive", None), (0, 0)

    def show() -> None:
        nonlocal cursor
        if arrive is not None:
            batches, cursor = running.growing.events_since(cursor)
            arrive(Events(batches))
        if reader is not None:
            reader.show(running.growing.exchange(), running.growing.note)

    if not wait([running], show):
        return _on_stop(running)
    if isinstance(running.outcome, ClaudeError) and reader is not None:
        reader.finish(running.growing.exchange(running.outcome))
    return running.result()


def ask_all(means: SessionContext, several: Sequence[PendingRequest], readers: Readers, at_once: int) -> list[Exchange]:
    """The exchanges of several questions, in their order; one that cannot be sent stands beside the others.

    Args:
        at_once: How many are under way at the same time.

    Raises:
        CellError: None of them can be sent.
        SettingsError: Nobody can be asked.
    """
    turn = threading.Semaphore(at_once)
    all_running = [_start(means, each, turn) for each in several]
    if not wait(all_running, lambda: readers.show([running.growing.exchange() for running in all_running])):
        return [
            running.outcome if isinstance(running.outcome, Exchange) else _on_stop(running) for running in all_running
        ]
    return _results(all_running)


def _start(means: SessionContext, asking: PendingRequest, turn: threading.Semaphore | None = None) -> Worker:
    growing, interrupt = asking.accumulator(means.settings), Interrupt()

    def exchange() -> Exchange:
        while turn is not None and not turn.acquire(timeout=_TICK):
            interrupt.check()
        try:
            return send(means, asking, growing, interrupt)
        finally:
            if turn is not None:
                turn.release()

    return Worker(exchange, growing, interrupt)


def _results(several: Sequence[Worker]) -> list[Exchange]:
    if not any(isinstance(running.outcome, Exchange) for running in several):
        return [running.result() for running in several]
    return [
        running.growing.exchange().failed(running.outcome)
        if isinstance(running.outcome, ClaudeError)
        else running.result()
        for running in several
    ]


def _on_stop(running: Worker) -> Exchange:
    """What had arrived when the reader pressed stop; its worker notices at once, and closes the books on it."""
    running.wait(_LAST_WORDS)
    exchange = running.outcome if isinstance(running.outcome, Exchange) else running.growing.exchange()
    return exchange.failed(_interrupt_error(running.growing))


def _interrupt_error(growing: Accumulator) -> Interrupted:
    exchange = growing.exchange()
    kept = f"the {len(exchange.text):,} characters that had arrived are in claude.last.text"
    return Interrupted(f"stopped after {exchange.seconds:.1f} s; {kept if exchange.text else 'nothing had arrived'}.")
