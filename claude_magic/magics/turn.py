"""A turn: exchanges, one after another, until no call is asked for.

It may stop on its way to wait for the reader; then it is a value that is gone on with later, in another
cell or when a button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..cell.options import Options
from ..conversation.conversation import remembered
from ..conversation.tools import calls, not_run, run
from ..errors import ClaudeError, Interrupted
from ..wire import Block, Exchange
from ..wire.money import dollars
from ..wire.tool import EDITED, RUNNING, WAITING, Call, Tool
from .asking import Reader, ask
from .books import Asker
from .offering import unforced
from .question import Asked
from .sending import Asking, Means

CALLS, RESULTS = "calls", "results"  # what a turn waits for: a word on its calls, or on sending their results


class Stage(Protocol):
    """Where a turn is shown, and where its reader is asked."""

    def reader(self) -> Reader | None:
        """Shows the next exchange while it grows."""

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        """Show the end of an exchange."""

    def update(self, exchange: Exchange) -> None:
        """Show what became of its calls."""

    def decided(self, turn: Turn) -> tuple[Call, ...] | None:
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
    means: Means
    asked: Asked
    asker: Asker
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

    def asking(self) -> Asking:
        """The next request: the question, or what was said since."""
        number, question = len(self.exchanges) + 1, self.asked.question
        if number == 1:
            return Asking(options=self.options, question=question, asker=self.asker)
        before, new = self.said, []
        if self.said and self.said[-1]["role"] == "user":
            before, new = self.said[:-1], [dict(self.said[-1])]
        replayed = question.replayed
        return Asking(
            options=unforced(self.options),
            question=replace(question, new=new, replayed=lambda frame: [*replayed(frame), *question.new, *before]),
            asker=replace(self.asker, cell=f"{self.asker.cell}.{number}", place=f"{self.asker.place}.{number}"),
        )

    def allowing(self, yes: bool) -> Turn:
        """The same; with `yes`, no further call is asked about."""
        return replace(self, options=replace(self.options, yes=True)) if yes else self

    def after(self, exchange: Exchange) -> Turn:
        return replace(self, exchanges=(*self.exchanges, exchange))

    def with_calls(self, several: Sequence[Call]) -> Turn:
        """The same, with these as the calls of its last exchange."""
        last = replace(self.exchange, calls=tuple(several))
        return replace(self, exchanges=(*self.exchanges[:-1], last))

    def plus(self, *messages: Mapping[str, Any]) -> Turn:
        return replace(self, said=(*self.said, *messages))


def played(turn: Turn, stage: Stage) -> Turn:
    """The turn, as far as it goes: to its end, or to where it waits for the reader.

    Raises:
        CellError: The question cannot be sent, such as for a key in it, or a budget.
        SettingsError: Nobody can be asked.
    """
    going = True
    try:
        while going:
            turn, going = _asked(turn, stage)
            if going and turn.exchange.calls:
                turn, going = _called(turn, stage)
    except KeyboardInterrupt:  # between two requests
        if not turn.exchanges:
            raise
        return _broken(turn, Interrupted("stopped between two requests; the replies are in claude.last.earlier."))
    return turn


def gone_on(turn: Turn, stage: Stage, decided: Sequence[Call]) -> Turn:
    """A turn that waited, as far as it goes now.

    Args:
        decided: Its calls, each `running` or answered.
    """
    ran = turn.waits == RESULTS
    turn = replace(turn, waits="")
    if not ran:
        turn = _run(turn, stage, decided)
        if turn.error is not None:
            return turn
        if turn.options.step and not stage.may_send(turn):
            return replace(turn, waits=RESULTS)
    return played(turn, stage)


def _asked(turn: Turn, stage: Stage) -> tuple[Turn, bool]:
    """The turn after one more exchange, and whether it goes on."""
    try:
        exchange = ask(turn.means, turn.asking(), stage.reader())
    except ClaudeError as error:
        if not turn.exchanges:
            raise
        return _broken(turn, error), False
    exchange = turn.complete(replace(exchange, earlier=turn.exchanges))
    found = calls(exchange, turn.tools)
    paused = _is_paused(turn, exchange)
    most = turn.means.settings.max_tool_steps
    over = (bool(found) or paused) and len(turn.exchanges) + 1 >= most
    if over:
        found = not_run(found, f"this turn has come to its {most} requests")
        exchange = replace(exchange, notes=(*exchange.notes, f"stopped after {most} requests: Claude.max_tool_steps"))
    exchange = replace(exchange, calls=found)
    going = (bool(found) or paused) and not over
    if paused:
        turn = turn.plus(_reply(exchange))
    if not going:
        said = turn.plus(_reply(exchange), _results(found)).said if found else turn.said
        exchange = turn.asked.remember(_summed(exchange), said)
    stage.finish(exchange, final=not going)
    return turn.after(exchange), going


def _is_paused(turn: Turn, exchange: Exchange) -> bool:
    """Whether the API wants to be asked to go on; what was pasted whole has no turns."""
    whole = turn.asked.question.body is None
    return whole and exchange.error is None and exchange.message.stop_reason == "pause_turn"


def _called(turn: Turn, stage: Stage) -> tuple[Turn, bool]:
    """The turn with the calls of its last exchange answered, and whether it goes on."""
    try:
        decided = _recorded(turn) or stage.decided(turn)
    except KeyboardInterrupt:
        return _stopped(turn, stage, turn.exchange.calls), False
    except ClaudeError as error:
        return _broken(turn, error), False
    if decided is None:
        return replace(turn, waits=CALLS), False
    turn = _run(turn, stage, decided)
    if turn.error is not None:
        return turn, False
    if turn.options.step and not stage.may_send(turn):
        return replace(turn, waits=RESULTS), False
    return turn, True


def _recorded(turn: Turn) -> tuple[Call, ...] | None:
    """The results that were recorded, where a reply was replayed: then no function runs."""
    exchange = turn.exchange
    if not exchange.replayed or turn.options.run_tools:
        return None
    return turn.means.books.continued(turn.means.settings, exchange)


def _run(turn: Turn, stage: Stage, decided: Sequence[Call]) -> Turn:
    """Run what is `running`; the turn with the results as its last message."""

    def tell(several: tuple[Call, ...]) -> None:
        stage.update(turn.with_calls(several).exchange)

    try:
        tell(tuple(decided))
        made, whole = run(decided, turn.tools, turn.content, tell)
    except KeyboardInterrupt:  # before the first call was begun
        made, whole = tuple(decided), False
    if not whole:
        return _stopped(turn, stage, made)
    turn = turn.with_calls(made)
    return turn.plus(_reply(turn.exchange), _results(made))


def _stopped(turn: Turn, stage: Stage, several: Sequence[Call]) -> Turn:
    """The turn that the reader stopped while its calls were asked about or run; each of them is answered."""
    made = not_run(several, "the user stopped it")
    names = ", ".join(call.name for call in made if call.note) or "its calls"
    turn = turn.with_calls(made)
    said = turn.plus(_reply(turn.exchange), _results(made)).said
    return _ended(turn, stage, said, Interrupted(f"stopped at {names}; every call is answered in claude.last.calls."))


def _broken(turn: Turn, error: ClaudeError) -> Turn:
    """The turn that cannot go on, such as for its budget."""
    turn = replace(turn, error=error)
    exchange = turn.asked.remember(replace(turn.exchange, error=error), turn.said)
    return replace(turn, exchanges=(*turn.exchanges[:-1], replace(exchange, error=None)))


def _ended(turn: Turn, stage: Stage, said: Sequence[Mapping[str, Any]], error: ClaudeError) -> Turn:
    exchange = turn.asked.remember(replace(turn.exchange, error=error), said)
    exchange = replace(exchange, error=None)
    stage.update(exchange)
    return replace(turn, error=error, exchanges=(*turn.exchanges[:-1], exchange))


def _reply(exchange: Exchange) -> dict[str, Any]:
    return {"role": "assistant", "content": remembered(exchange.message.content)}


def _results(several: Sequence[Call]) -> dict[str, Any]:
    return {"role": "user", "content": [call.result for call in several]}


def _summed(exchange: Exchange) -> Exchange:
    """The last exchange of several, with what all of them used."""
    several = (*exchange.earlier, exchange)
    if len(several) == 1:
        return exchange
    prices = [each.usd for each in several]
    tokens = sum(int(each.message.usage.get(n) or 0) for each in several for n in ("input_tokens", "output_tokens"))
    price = dollars(sum(usd for usd in prices if usd is not None)) if None not in prices else "price unknown"
    return replace(exchange, notes=(*exchange.notes, f"{len(several)} requests: {tokens:,} tokens, {price} in all"))


def waiting(turn: Turn) -> tuple[Call, ...]:
    """The calls that wait for the reader's word."""
    return tuple(call for call in turn.exchange.calls if call.state == WAITING)


def to_ask(turn: Turn) -> tuple[Call, ...]:
    """Those of them that are not run without it."""
    asks = turn.options.step
    return tuple(c for c in waiting(turn) if asks or (turn.tools[c.name].approve and not turn.options.yes))


def running(call: Call, arguments: Mapping[str, Any] | None = None) -> Call:
    """`call`, to be run, perhaps with other arguments than were asked for."""
    if call.state != WAITING:
        return call
    if arguments is None or arguments == call.arguments:
        return replace(call, state=RUNNING)
    return replace(call, state=RUNNING, arguments=arguments, note=EDITED)
