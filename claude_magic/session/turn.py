"""A turn: a prompt and its exchanges, one after another, until the reply calls no tool.

It may stop before its end to wait for the user; then it is a value that is resumed later, in another cell or when a
button is pressed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..errors import ClaudeError
from ..settings import Claude
from ..wire import Exchange
from ..wire.presenter import Presenter, SilentPresenter
from ..wire.tool import EDITED, RUNNING, WAITING, Call
from .history import Memory
from .ledger import Caller
from .prompt import Message, Prompt

CALLS, RESULTS = "calls", "results"  # what a turn waits for: approval of its calls, or of sending their results


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A prompt, and how far it has come.

    Attributes:
        prompt: Its `later` holds the replies and results so far.
        memory: Where the reply is remembered.
        caller: Who sends it.
        exchanges: In order; the last one holds the calls that wait.
        waits: `calls`, `results`, or `""` if it is over.
        error: Why it ended early although its last exchange did not fail; `None` if it did not.
    """

    prompt: Prompt
    settings: Claude
    memory: Memory
    caller: Caller
    exchanges: tuple[Exchange, ...] = ()
    waits: str = ""
    error: ClaudeError | None = None

    @property
    def exchange(self) -> Exchange:
        """The last one."""
        return self.exchanges[-1]

    @property
    def messages(self) -> list[Message]:
        """All messages of the turn so far, as the API's JSON."""
        last = self.exchange.message.content if self.exchanges else []
        reply = [{"role": "assistant", "content": last}] if last and self.waits != RESULTS else []
        return [*self.prompt.own, *self.prompt.later, *reply]

    @property
    def next_caller(self) -> Caller:
        """Who sends the next request."""
        number = len(self.exchanges) + 1
        return self.caller if number == 1 else self.caller.part(f".{number}")

    def with_approval(self, yes: bool) -> Turn:
        """The same; with `yes`, no further call needs approval."""
        prompt = self.prompt
        return replace(self, prompt=replace(prompt, options=replace(prompt.options, yes=True))) if yes else self

    def with_exchange(self, exchange: Exchange) -> Turn:
        return replace(self, exchanges=(*self.exchanges, exchange))

    def with_last(self, exchange: Exchange) -> Turn:
        """The same, with another last exchange."""
        return replace(self, exchanges=(*self.exchanges[:-1], exchange))

    def with_calls(self, calls: Sequence[Call]) -> Turn:
        """The same, with these as the calls of its last exchange."""
        return self.with_last(replace(self.exchange, calls=tuple(calls)))

    def with_messages(self, *messages: Message) -> Turn:
        return replace(self, prompt=replace(self.prompt, later=(*self.prompt.later, *messages)))


class TurnPresenter(Protocol):
    """Shows a turn."""

    def next(self) -> Presenter:
        """What shows the next exchange."""

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        """Shows a complete exchange."""

    def update(self, exchange: Exchange) -> None:
        """Shows the last exchange again, after the state of its calls changed."""


class Approver(Protocol):
    """Decides which calls of a turn run."""

    def decide(self, turn: Turn) -> tuple[Call, ...] | None:
        """The calls, each `running` or with a result; `None` if the turn waits for the user.

        Raises:
            CellError: The user cannot be asked.
        """

    def may_send(self, turn: Turn) -> bool:
        """Whether the results may be sent; else the turn waits for the user."""


class SilentTurn:
    """Shows the exchanges of a turn with one presenter, and nothing of its calls.

    Args:
        presenter: Shows the exchanges while they arrive; `None` for nothing.
    """

    def __init__(self, presenter: Presenter | None = None) -> None:
        self._presenter = presenter or SilentPresenter()

    def next(self) -> Presenter:
        return self._presenter

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        pass

    def update(self, exchange: Exchange) -> None:
        pass


class ApproveAll:
    """Approves every call, for a request from Python."""

    def decide(self, turn: Turn) -> tuple[Call, ...]:
        return tuple(map(approve, turn.exchange.calls))

    def may_send(self, turn: Turn) -> bool:
        return True


def pending_calls(turn: Turn) -> tuple[Call, ...]:
    """The calls that wait for approval."""
    return tuple(call for call in turn.exchange.calls if call.state == WAITING)


def calls_to_approve(turn: Turn) -> tuple[Call, ...]:
    """Those of them that need it."""
    options, tools = turn.prompt.options, turn.prompt.tools
    return tuple(c for c in pending_calls(turn) if options.step or (tools[c.name].approve and not options.yes))


def approve(call: Call, arguments: Mapping[str, Any] | None = None) -> Call:
    """The call, to be run, perhaps with edited arguments."""
    if call.state != WAITING:
        return call
    if arguments is None or arguments == call.arguments:
        return replace(call, state=RUNNING)
    return replace(call, state=RUNNING, arguments=arguments, note=EDITED)
