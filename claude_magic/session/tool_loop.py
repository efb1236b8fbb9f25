"""Going on with a turn: asking, running what is asked for, sending the results, until it ends or waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import ClaudeError, Interrupted
from ..tools.calls import find_calls, skip, why_not_run
from ..tools.runner import run
from ..wire import Exchange
from ..wire.history import history
from ..wire.short_text import dollars, one_line
from ..wire.tool import NOT_RUN, Call
from .ask import ask
from .turn import CALLS, RESULTS, Turn, TurnPresenter


def run_turn(turn: Turn, stage: TurnPresenter) -> Turn:
    """The turn, as far as it goes: to its end, or to where it waits for the reader.

    Raises:
        CellError: The question cannot be sent, such as for a key in it, or a budget.
        SettingsError: Nobody can be asked.
    """
    going = True
    try:
        while going:
            turn, going = _send(turn, stage)
            if going and turn.exchange.calls:
                turn, going = _run_calls(turn, stage)
    except KeyboardInterrupt:  # between two requests
        if not turn.exchanges:
            raise
        return _fail(turn, Interrupted("stopped between two requests; the replies are in claude.last.earlier."))
    return turn


def resume_turn(turn: Turn, stage: TurnPresenter, decided: Sequence[Call]) -> Turn:
    """A turn that waited, as far as it goes now.

    Args:
        decided: Its calls, each `running` or answered.
    """
    ran = turn.waits == RESULTS
    turn = replace(turn, waits="")
    if not ran:
        turn = _run_decided(turn, stage, decided)
        if turn.error is not None:
            return turn
        if turn.options.step and not stage.may_send(turn):
            return replace(turn, waits=RESULTS)
    return run_turn(turn, stage)


def _send(turn: Turn, stage: TurnPresenter) -> tuple[Turn, bool]:
    """The turn after one more exchange, and whether it goes on."""
    try:
        exchange = ask(turn.means, turn.next_request(), stage.presenter())
    except ClaudeError as error:
        if not turn.exchanges:
            raise
        return _fail(turn, error), False
    notes = () if turn.exchanges else turn.options.notes
    exchange = turn.complete(replace(exchange, earlier=turn.exchanges, notes=(*exchange.notes, *notes)))
    found = find_calls(exchange, turn.tools)
    exchange = replace(exchange, notes=(*exchange.notes, *_about_calls(exchange, found)))
    asks = any(call.state != NOT_RUN for call in found)
    paused = _is_paused(turn, exchange) and not found
    most = turn.means.settings.max_tool_steps
    over = (asks or paused) and len(turn.exchanges) + 1 >= most
    if over:
        found = skip(found, f"this turn has come to its {most} requests")
        exchange = replace(exchange, notes=(*exchange.notes, f"stopped after {most} requests: Claude.max_tool_steps"))
    exchange = replace(exchange, calls=found)
    going = (asks or paused) and not over
    if paused:
        turn = turn.with_messages(_reply(exchange))
    if not going:
        answers = found and exchange.error is None and exchange.message.stop_reason != "refusal"
        said = turn.with_messages(_reply(exchange), _results(found)).said if answers else turn.said
        exchange = turn.asked.remember(_sum_exchanges(exchange), said)
    stage.finish(exchange, final=not going)
    return turn.with_exchange(exchange), going


def _about_calls(exchange: Exchange, found: Sequence[Call]) -> list[str]:
    """What the reader must know of the calls of a reply that ended for another reason than to have them run."""
    reason = exchange.message.stop_reason
    if exchange.error is None and reason == "tool_use":
        return []
    names = ", ".join(dict.fromkeys(one_line(call.name, 60) for call in found))
    if not found:
        unrun = (block.get("name") for block in exchange.message.content if block.get("type") == "tool_use")
        names = ", ".join(dict.fromkeys(one_line(str(name), 60) for name in unrun))
        return [f"asks for {names}, and nothing was run: {why_not_run(exchange)}"] if names else []
    if all(call.state == NOT_RUN for call in found):
        return [f"not run: {names}; {why_not_run(exchange)}"]
    return [f"ended with {reason} although it asks for {names}: taken as if it had ended with tool_use"]


def _is_paused(turn: Turn, exchange: Exchange) -> bool:
    """Whether the API wants its reply back to go on; what was pasted whole has no turns, and nothing has no rest."""
    whole = turn.asked.question.body is None
    if not whole or exchange.error is not None or exchange.message.stop_reason != "pause_turn":
        return False
    return history([*turn.said, _reply(exchange)]).messages != history(turn.said).messages


def _run_calls(turn: Turn, stage: TurnPresenter) -> tuple[Turn, bool]:
    """The turn with the calls of its last exchange answered, and whether it goes on."""
    try:
        decided = _recorded_calls(turn) or stage.decide(turn)
    except KeyboardInterrupt:
        return _stop(turn, stage, turn.exchange.calls), False
    except ClaudeError as error:
        return _fail(turn, error), False
    if decided is None:
        return replace(turn, waits=CALLS), False
    turn = _run_decided(turn, stage, decided)
    if turn.error is not None:
        return turn, False
    if turn.options.step and not stage.may_send(turn):
        return replace(turn, waits=RESULTS), False
    return turn, True


def _recorded_calls(turn: Turn) -> tuple[Call, ...] | None:
    """The results that were recorded, where a reply was replayed: then no function runs."""
    exchange = turn.exchange
    if not exchange.replayed or turn.options.run_tools:
        return None
    return turn.means.books.recorded_calls(turn.means.settings, exchange)


def _run_decided(turn: Turn, stage: TurnPresenter, decided: Sequence[Call]) -> Turn:
    """Run what is `running`; the turn with the results as its last message."""

    def tell(several: tuple[Call, ...]) -> None:
        stage.update(turn.with_calls(several).exchange)

    try:
        tell(tuple(decided))
        made, whole = run(decided, turn.tools, turn.content, tell)
    except KeyboardInterrupt:  # before the first call was begun
        made, whole = tuple(decided), False
    if not whole:
        return _stop(turn, stage, made)
    turn = turn.with_calls(made)
    return turn.with_messages(_reply(turn.exchange), _results(made))


def _stop(turn: Turn, stage: TurnPresenter, several: Sequence[Call]) -> Turn:
    """The turn that the reader stopped while its calls were asked about or run; each of them is answered."""
    made = skip(several, "the user stopped it")
    names = ", ".join(call.name for call in made if call.note) or "its calls"
    turn = turn.with_calls(made)
    said = turn.with_messages(_reply(turn.exchange), _results(made)).said
    return _end(turn, stage, said, Interrupted(f"stopped at {names}; every call is answered in claude.last.calls."))


def _fail(turn: Turn, error: ClaudeError) -> Turn:
    """The turn that cannot go on, such as for its budget."""
    turn = replace(turn, error=error)
    exchange = turn.asked.remember(replace(turn.exchange, error=error), turn.said)
    return replace(turn, exchanges=(*turn.exchanges[:-1], replace(exchange, error=None)))


def _end(turn: Turn, stage: TurnPresenter, said: Sequence[Mapping[str, Any]], error: ClaudeError) -> Turn:
    exchange = turn.asked.remember(replace(turn.exchange, error=error), said)
    exchange = replace(exchange, error=None)
    stage.update(exchange)
    return replace(turn, error=error, exchanges=(*turn.exchanges[:-1], exchange))


def _reply(exchange: Exchange) -> dict[str, Any]:
    return {"role": "assistant", "content": exchange.message.content}


def _results(several: Sequence[Call]) -> dict[str, Any]:
    return {"role": "user", "content": [call.result for call in several]}


def _sum_exchanges(exchange: Exchange) -> Exchange:
    """The last exchange of several, with what all of them used."""
    several = (*exchange.earlier, exchange)
    if len(several) == 1:
        return exchange
    prices = [each.usd for each in several]
    tokens = sum(int(each.message.usage.get(n) or 0) for each in several for n in ("input_tokens", "output_tokens"))
    price = dollars(sum(usd for usd in prices if usd is not None)) if None not in prices else "price unknown"
    return replace(exchange, notes=(*exchange.notes, f"{len(several)} requests: {tokens:,} tokens, {price} in all"))
