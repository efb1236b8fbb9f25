"""Exchanges in threads of their own, while the user's thread shows what has arrived.

The user's thread only ever waits for a tenth of a second, so that an interrupt is obeyed at once whatever the network
does, and a display that fails does not lose the reply. Where no thread can be started, an exchange runs in the user's
thread, one after another, and what has arrived is shown as it is added.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from ..api.accumulator import Accumulator
from ..api.interrupt import Interrupt
from ..concurrency import Event, runs_in_caller, start_thread
from ..errors import ClaudeError, Interrupted
from ..settings import Claude
from ..wire import Events, Exchange
from ..wire.presenter import Presenter
from .ledger import Caller
from .model_list import model_id
from .prompt import Prompt
from .request import waiting
from .send import Sender

_GRACE = 0.2  # seconds that a stopped exchange has to be written down
_TICK = 0.1  # seconds between two looks at what has arrived


def ask(sender: Sender, settings: Claude, prompt: Prompt, caller: Caller, presenter: Presenter) -> Exchange:
    """The exchange of a prompt; a failure is its `error`.

    Raises:
        CellError: It cannot be sent, such as for a key in it, or a budget.
        SettingsError: There is no provider to send it to.
    """
    worker = _prompt_worker(sender, settings, prompt, caller, presenter)
    if not wait_for([worker]):
        return _stop(worker)
    if isinstance(worker.outcome, ClaudeError):
        presenter.finish(worker.accumulator.exchange(worker.outcome))
    return worker.result()


def ask_all(
    sender: Sender,
    settings: Sequence[Claude],
    prompts: Sequence[Prompt],
    caller: Caller,
    presenters: Sequence[Presenter],
) -> list[Exchange]:
    """The exchanges of several prompts at once, in their order; one that cannot be sent has an `error`.

    Args:
        settings: One for each prompt, as are the presenters. An exchange that is over is finished while the others go
            on; not all need be.

    Raises:
        CellError: None of them can be sent.
        SettingsError: There is no provider to send them to.
    """
    queue = _Queue(len(prompts), settings[0].concurrency)
    workers = [
        _prompt_worker(sender, each, prompt, caller.part(f"/{number}"), presenter, queue, number - 1)
        for number, (each, prompt, presenter) in enumerate(zip(settings, prompts, presenters, strict=True), 1)
    ]
    if not wait_for(workers):
        return [each.outcome if isinstance(each.outcome, Exchange) else _stop(each) for each in workers]
    if not any(isinstance(each.outcome, Exchange) for each in workers):
        return [each.result() for each in workers]
    return [
        each.accumulator.exchange().with_error(each.outcome) if isinstance(each.outcome, ClaudeError) else each.result()
        for each in workers
    ]


def _prompt_worker(
    sender: Sender,
    settings: Claude,
    prompt: Prompt,
    caller: Caller,
    presenter: Presenter,
    queue: _Queue | None = None,
    index: int = 0,
) -> Worker:
    def send(accumulator: Accumulator, interrupt: Interrupt) -> Exchange:
        if queue is None:
            return sender.send(settings, prompt, caller, accumulator, interrupt)
        queue.enter(index, interrupt)
        try:
            return sender.send(settings, prompt, caller, accumulator, interrupt)
        finally:
            queue.leave()

    accumulator = waiting(model_id(settings, prompt.options.model or settings.model))
    return Worker(send, accumulator, presenter, finishes=queue is not None)


class _Queue:
    """Lets so many requests be under way at once, in their order: a semaphore would let any of them go first."""

    def __init__(self, number: int, at_once: int) -> None:
        self._turns = [Event() for _ in range(number)]
        self._waiting = iter(self._turns)
        for _ in range(at_once):
            self.leave()

    def enter(self, index: int, interrupt: Interrupt) -> None:
        """Waits until it is this request's turn."""
        while not self._turns[index].wait(_TICK):
            interrupt.check()

    def leave(self) -> None:
        """Lets the next request begin."""
        for turn in self._waiting:
            turn.set()
            return


class Worker:
    """An exchange in a thread, which `wait_for` starts.

    Args:
        send: Sends the request, and returns the exchange.
        accumulator: Holds what has arrived.
        presenter: Shows it meanwhile.
        finishes: Whether the presenter is finished when it is over, while others go on.

    Attributes:
        outcome: The exchange, or what was raised; `None` until it is over.
    """

    def __init__(
        self,
        send: Callable[[Accumulator, Interrupt], Exchange],
        accumulator: Accumulator,
        presenter: Presenter,
        *,
        finishes: bool = False,
    ) -> None:
        self.accumulator = accumulator
        self.interrupt = Interrupt()
        self.outcome: Exchange | BaseException | None = None
        self._send = send
        self._presenter = presenter
        self._finishes = finishes
        self._cursor = 0, 0
        self._done = Event()

    def start(self) -> None:
        """Begins the exchange.

        Raises:
            KeyboardInterrupt: The user stopped it, and it runs in this thread.
        """
        start_thread(self._run, name="exchange")
        if isinstance(self.outcome, KeyboardInterrupt):
            raise self.outcome

    def wait(self, seconds: float) -> bool:
        """Whether it is over, at the latest after so many seconds."""
        return self._done.wait(seconds)

    def show(self) -> None:
        """Shows what has arrived."""
        if self._finishes and self.outcome is not None:
            self._show_outcome()
            return
        batches, self._cursor = self.accumulator.events_since(self._cursor)
        if batches:
            self._presenter.events(Events(batches))
        self._presenter.show(self.accumulator.exchange(), self.accumulator.note)

    def _show_outcome(self) -> None:
        if isinstance(self.outcome, Exchange):
            self._presenter.finish(self.outcome)
        elif isinstance(self.outcome, ClaudeError):  # an error of the cell, if none can be sent
            self._presenter.show(self.accumulator.exchange(), f"{type(self.outcome).__name__}: {self.outcome}")

    def result(self) -> Exchange:
        """The exchange; raises what was raised."""
        if isinstance(self.outcome, Exchange):
            return self.outcome
        assert self.outcome is not None  # noqa: S101  it is over
        raise self.outcome

    def stop(self) -> Exchange:
        """What had arrived when the user stopped it; its thread notices at once, and writes it down."""
        self.wait(_GRACE)
        return self.outcome if isinstance(self.outcome, Exchange) else self.accumulator.exchange()

    def _run(self) -> None:
        if runs_in_caller():
            self.accumulator.on_change = self._try_show
        try:
            self.outcome = self._send(self.accumulator, self.interrupt)
        except BaseException as error:
            self.outcome = error
        finally:
            self.accumulator.on_change = None
            self._done.set()

    def _try_show(self) -> None:
        with contextlib.suppress(Exception):
            self.show()


def _stop(worker: Worker) -> Exchange:
    """The exchange of a prompt that the user stopped."""
    exchange, arrived = worker.stop(), worker.accumulator.exchange()
    note = f"claude.last.text has the {len(arrived.text):,} characters that came"
    why = f"stopped after {arrived.seconds:.1f} s; {note if arrived.text else 'nothing had come'}."
    return exchange.with_error(Interrupted(why))


def wait_for(workers: Sequence[Worker]) -> bool:
    """Runs all to their end, showing what has arrived; `False` if the user stopped them."""
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            while not worker.wait(_TICK):
                with contextlib.suppress(Exception):
                    for each in workers:
                        each.show()
    except KeyboardInterrupt:
        for worker in workers:
            worker.interrupt.set()
        return False
    return True
