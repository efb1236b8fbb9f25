"""Asking, while the reader looks on: one question, or several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..api.accumulator import Accumulator
from ..api.interrupt import Interrupt
from ..concurrency import Event
from ..errors import ClaudeError, Interrupted
from ..wire import Events, Exchange
from ..wire.presenter import Presenter
from .send import PendingRequest, SessionContext, send
from .worker import Worker, wait

_LAST_WORDS = 0.2  # seconds that a stopped exchange has to be written down
_TICK = 0.1  # seconds between two looks at whether a question that waits for its turn was stopped


def ask(means: SessionContext, asking: PendingRequest, presenter: Presenter) -> Exchange:
    """The exchange that was asked for; look at its `error`.

    Raises:
        CellError: It cannot be sent, such as for a key in it, or a budget.
        SettingsError: Nobody can be asked.
    """
    running = _start(means, asking)
    if not wait([running], _Feed(running, presenter).show):
        return _on_stop(running)
    if isinstance(running.outcome, ClaudeError):
        presenter.finish(running.growing.exchange(running.outcome))
    return running.result()


def ask_all(
    means: SessionContext, several: Sequence[PendingRequest], presenters: Sequence[Presenter], at_once: int
) -> list[Exchange]:
    """The exchanges of several questions, in their order; one that cannot be sent stands beside the others.

    Args:
        presenters: One for each.
        at_once: How many are under way at the same time.

    Raises:
        CellError: None of them can be sent.
        SettingsError: Nobody can be asked.
    """
    turns = _Turns(len(several), at_once)
    all_running = [_start(means, each, turn, turns.end) for each, turn in zip(several, turns.begin, strict=True)]
    feeds = [_Feed(running, presenter) for running, presenter in zip(all_running, presenters, strict=True)]

    def show() -> None:
        for feed in feeds:
            feed.show()

    if not wait(all_running, show):
        return [
            running.outcome if isinstance(running.outcome, Exchange) else _on_stop(running) for running in all_running
        ]
    return _results(all_running)


class _Turns:
    """Lets so many requests be under way at once, in their order: a semaphore would let any of them go first."""

    def __init__(self, number: int, at_once: int) -> None:
        self.begin = [Event() for _ in range(number)]
        self._waiting = iter(self.begin)
        for _ in range(at_once):
            self.end()

    def end(self) -> None:
        """Let the next one begin."""
        for turn in self._waiting:
            turn.set()
            return


class _Feed:
    """Brings what has arrived of an exchange to its presenter."""

    def __init__(self, running: Worker, presenter: Presenter) -> None:
        self._growing = running.growing
        self._presenter = presenter
        self._cursor = 0, 0

    def show(self) -> None:
        batches, self._cursor = self._growing.events_since(self._cursor)
        if batches:
            self._presenter.events(Events(batches))
        self._presenter.show(self._growing.exchange(), self._growing.note)


def _start(
    means: SessionContext, asking: PendingRequest, turn: Event | None = None, end: Callable[[], object] = bool
) -> Worker:
    growing, interrupt = asking.accumulator(means.settings), Interrupt()

    def exchange() -> Exchange:
        while turn is not None and not turn.wait(_TICK):
            interrupt.check()
        try:
            return send(means, asking, growing, interrupt)
        finally:
            end()

    return Worker(exchange, growing, interrupt)


def _results(several: Sequence[Worker]) -> list[Exchange]:
    if not any(isinstance(running.outcome, Exchange) for running in several):
        return [running.result() for running in several]
    return [
        running.growing.exchange().with_error(running.outcome)
        if isinstance(running.outcome, ClaudeError)
        else running.result()
        for running in several
    ]


def _on_stop(running: Worker) -> Exchange:
    """What had arrived when the reader pressed stop; its worker notices at once, and closes the books on it."""
    running.wait(_LAST_WORDS)
    exchange = running.outcome if isinstance(running.outcome, Exchange) else running.growing.exchange()
    return exchange.with_error(_interrupt_error(running.growing))


def _interrupt_error(growing: Accumulator) -> Interrupted:
    exchange = growing.exchange()
    kept = f"the {len(exchange.text):,} characters that had arrived are in claude.last.text"
    return Interrupted(f"stopped after {exchange.seconds:.1f} s; {kept if exchange.text else 'nothing had arrived'}.")
