"""A turn: exchanges, one after another, until no call is asked for.

It may stop on its way to wait for the reader; then it is a value that is gone on with later, in another
cell or when a button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..errors import ClaudeError
from ..prompt.options.options import Options
from ..wire import Block, Exchange
from ..wire.presenter import Presenter, SilentPresenter
from ..wire.tool import EDITED, RUNNING, WAITING, Call, Tool
from .history import PendingTurn
from .ledger import Caller
from .send import PendingRequest, SessionContext
from .tool_selection import without_forced_choice

CALLS, RESULTS = "calls", "results"  # what a turn waits for: a word on its calls, or on sending their results


class TurnPresenter(Protocol):
    """Where a turn is shown, and where its reader is asked."""

    def presenter(self) -> Presenter:
        """What shows the next exchange."""

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        """Show the end of an exchange."""

    def update(self, exchange: Exchange) -> None:
        """Show what became of its calls."""

    def decide(self, turn: Turn) -> tuple[Call, ...] | None:
        """The calls, each `running` or answered; `None` if the turn waits for the reader.

        Raises:
            CellError: Nobody can be asked.
        """

    def may_send(self, turn: Turn) -> bool:
        """Whether the results may be sent, or wait for the reader."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What was asked, and how far it has come.

    Attributes:
        tools: What this kernel runs, by name.
        cell: Which cell asks; `""` if none does.
        complete: From an exchange to the same, with what the notebook adds.
        content: From a tool's name and what it returned to the blocks of a result.
        said: Messages after the question: replies, and results.
        exchanges: In order; the last one holds the calls that wait.
        waits: `calls`, `results`, or `""` if it is over.
        error: Why it did not come to its end, although its last exchange did; `None` if it did.
    """

    options: Options
    means: SessionContext
    asked: PendingTurn
    asker: Caller
    tools: Mapping[str, Tool]
    complete: Callable[[Exchange], Exchange]
    content: Callable[[str, Any], tuple[Block, ...]]
    cell: str = ""
    said: tuple[Mapping[str, Any], ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    waits: str = ""
    error: ClaudeError | None = None

    @property
    def exchange(self) -> Exchange:
        """The last one."""
        return self.exchanges[-1]

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """All messages so far, as the API's JSON; those of the turns before it left out."""
        last = self.exchange.message.content if self.exchanges else []
        reply = [{"role": "assistant", "content": last}] if last and self.waits != RESULTS else []
        return [*self.asked.question.new, *self.said, *reply]

    def next_request(self) -> PendingRequest:
        """The next request: the question, or what was said since."""
        number, question = len(self.exchanges) + 1, self.asked.question
        if number == 1:
            return PendingRequest(options=self.options, question=question, asker=self.asker)
        before, new = self.said, []
        if self.said and self.said[-1]["role"] == "user":
            before, new = self.said[:-1], [dict(self.said[-1])]
        replayed = question.replayed
        return PendingRequest(
            options=without_forced_choice(self.options),
            question=replace(question, new=new, replayed=lambda frame: [*replayed(frame), *question.new, *before]),
            asker=replace(self.asker, cell=f"{self.asker.cell}.{number}", place=f"{self.asker.place}.{number}"),
        )

    def with_approval(self, yes: bool) -> Turn:
        """The same; with `yes`, no further call is asked about."""
        return replace(self, options=replace(self.options, yes=True)) if yes else self

    def with_exchange(self, exchange: Exchange) -> Turn:
        return replace(self, exchanges=(*self.exchanges, exchange))

    def with_calls(self, several: Sequence[Call]) -> Turn:
        """The same, with these as the calls of its last exchange."""
        last = replace(self.exchange, calls=tuple(several))
        return replace(self, exchanges=(*self.exchanges[:-1], last))

    def with_messages(self, *messages: Mapping[str, Any]) -> Turn:
        return replace(self, said=(*self.said, *messages))


def pending_calls(turn: Turn) -> tuple[Call, ...]:
    """The calls that wait for the reader's word."""
    return tuple(call for call in turn.exchange.calls if call.state == WAITING)


def calls_to_approve(turn: Turn) -> tuple[Call, ...]:
    """Those of them that are not run without it."""
    asks = turn.options.step
    return tuple(c for c in pending_calls(turn) if asks or (turn.tools[c.name].approve and not turn.options.yes))


def approve(call: Call, arguments: Mapping[str, Any] | None = None) -> Call:
    """`call`, to be run, perhaps with other arguments than were asked for."""
    if call.state != WAITING:
        return call
    if arguments is None or arguments == call.arguments:
        return replace(call, state=RUNNING)
    return replace(call, state=RUNNING, arguments=arguments, note=EDITED)


class SilentTurn:
    """Approves every call, for a request from Python.

    Args:
        presenter: Shows the exchanges while they grow; `None` for nothing.
    """

    def __init__(self, presenter: Presenter | None = None) -> None:
        self._presenter = presenter or SilentPresenter()

    def presenter(self) -> Presenter:
        return self._presenter

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        pass

    def update(self, exchange: Exchange) -> None:
        pass

    def decide(self, turn: Turn) -> tuple[Call, ...]:
        return tuple(map(approve, turn.exchange.calls))

    def may_send(self, turn: Turn) -> bool:
        return True
