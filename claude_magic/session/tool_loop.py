"""Runs a turn: sends the prompt, runs the tools that the reply calls, sends their results, until it ends or waits."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import ClaudeError, Interrupted
from ..tools.calls import find_calls, skip, why_not_run
from ..tools.runner import run
from ..wire import Block, Exchange
from ..wire.history import history
from ..wire.short_text import dollars, one_line
from ..wire.tool import NOT_RUN, Call
from .ask import ask
from .prompt import Message, write_value
from .tool_selection import without_forced_choice
from .turn import CALLS, RESULTS, Approver, Turn, TurnPresenter

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class ToolLoop:
    """Runs the turns of a session; the session's `last` is each exchange as soon as it ends."""

    session: Session
    presenter: TurnPresenter
    approver: Approver

    def run(self, turn: Turn) -> Turn:
        """The turn, as far as it goes: to its end, or to where it waits for the user.

        Raises:
            CellError: The prompt cannot be sent, such as for a key in it, or a budget.
            SettingsError: There is no provider to send it to.
        """
        goes_on = True
        try:
            while goes_on:
                turn, goes_on = self._send(turn)
                if goes_on and turn.exchange.calls:
                    turn, goes_on = self._answer_calls(turn)
        except KeyboardInterrupt:  # between two requests
            if not turn.exchanges:
                raise
            return _fail(turn, Interrupted("stopped between two requests; the replies are in claude.last.earlier."))
        return turn

    def resume(self, turn: Turn, calls: Sequence[Call]) -> Turn:
        """A turn that waited, as far as it goes now.

        Args:
            calls: Its calls, each `running` or with a result.
        """
        results_wait = turn.waits == RESULTS
        turn = replace(turn, waits="")
        if results_wait:
            return self.run(turn)
        turn, goes_on = self._run_calls(turn, calls)
        return self.run(turn) if goes_on else turn

    def _send(self, turn: Turn) -> tuple[Turn, bool]:
        """The turn after one more exchange, and whether it goes on."""
        prompt = turn.prompt
        if turn.exchanges:
            prompt = replace(prompt, options=without_forced_choice(prompt.options))
        sender, caller, presenter = self.session.sender, turn.next_caller, self.presenter.next()
        try:
            if prompt.has_pending_files:
                prompt = self.session.attach_files(prompt, turn.settings, caller, presenter)
                turn = replace(turn, prompt=prompt)
            exchange = ask(sender, turn.settings, prompt, caller, presenter)
        except ClaudeError as error:
            if not turn.exchanges:
                raise
            return _fail(turn, error), False
        notes = () if turn.exchanges else prompt.options.notes
        exchange = replace(exchange, earlier=turn.exchanges).with_notes(*notes)
        exchange = self.session.describe_files(exchange, turn.settings, caller)
        self.session.last = exchange
        calls = find_calls(exchange, prompt.tools)
        exchange = exchange.with_notes(*_call_notes(exchange, calls))
        is_paused = _is_paused(turn, exchange) and not calls
        goes_on = is_paused or any(call.state != NOT_RUN for call in calls)
        most = turn.settings.max_tool_steps
        if goes_on and len(turn.exchanges) + 1 >= most:
            calls, goes_on = skip(calls, f"this turn has come to its {most} requests"), False
            exchange = exchange.with_notes(f"stopped after {most} requests: Claude.max_tool_steps")
        exchange = replace(exchange, calls=calls)
        if is_paused:
            turn = turn.with_messages(_reply(exchange))
        if not goes_on:
            has_results = calls and exchange.error is None and exchange.message.stop_reason != "refusal"
            ended = turn.with_messages(_reply(exchange), _results(calls)) if has_results else turn
            exchange = turn.memory.remember(prompt, _sum_exchanges(exchange), ended.prompt.later)
        self.presenter.finish(exchange, final=not goes_on)
        return turn.with_exchange(exchange), goes_on

    def _answer_calls(self, turn: Turn) -> tuple[Turn, bool]:
        """The turn with results for the calls of its last exchange, and whether it goes on."""
        try:
            calls = self._recorded_calls(turn) or self.approver.decide(turn)
        except KeyboardInterrupt:
            return self._stop(turn, turn.exchange.calls), False
        except ClaudeError as error:
            return _fail(turn, error), False
        if calls is None:
            return replace(turn, waits=CALLS), False
        return self._run_calls(turn, calls)

    def _recorded_calls(self, turn: Turn) -> tuple[Call, ...] | None:
        """The recorded results, if the reply was replayed: then no function runs."""
        exchange, ledger = turn.exchange, self.session.ledger
        if not exchange.replayed or turn.prompt.options.run_tools:
            return None
        return ledger.replays.calls(exchange, None if ledger.replays.recording else ledger.journal(turn.settings))

    def _run_calls(self, turn: Turn, calls: Sequence[Call]) -> tuple[Turn, bool]:
        """Runs the calls in state `running`: the turn with their results, and whether it goes on."""

        def update(several: tuple[Call, ...]) -> None:
            self.presenter.update(turn.with_calls(several).exchange)

        try:
            update(tuple(calls))
            results, complete = run(calls, turn.prompt.tools, functools.partial(_content, turn), update)
        except KeyboardInterrupt:  # before the first call began
            results, complete = tuple(calls), False
        if not complete:
            return self._stop(turn, results), False
        turn = turn.with_calls(results)
        turn = turn.with_messages(_reply(turn.exchange), _results(results))
        if turn.prompt.options.step and not self.approver.may_send(turn):
            return replace(turn, waits=RESULTS), False
        return turn, True

    def _stop(self, turn: Turn, calls: Sequence[Call]) -> Turn:
        """The turn that the user stopped while its calls waited or ran; each of them gets a result."""
        results = skip(calls, "the user stopped it")
        names = ", ".join(call.name for call in results if call.note) or "its calls"
        turn = turn.with_calls(results)
        later = turn.with_messages(_reply(turn.exchange), _results(results)).prompt.later
        error = Interrupted(f"stopped at {names}; every call is answered in claude.last.calls.")
        turn = _remember(turn, later, error)
        self.presenter.update(turn.exchange)
        return turn


def _call_notes(exchange: Exchange, calls: Sequence[Call]) -> list[str]:
    """Notes on the calls of a reply that ended for another reason than to have them run."""
    reason = exchange.message.stop_reason
    if exchange.error is None and reason == "tool_use":
        return []
    names = ", ".join(dict.fromkeys(one_line(call.name, 60) for call in calls))
    if not calls:
        unrun = (block.get("name") for block in exchange.message.content if block.get("type") == "tool_use")
        names = ", ".join(dict.fromkeys(one_line(str(name), 60) for name in unrun))
        return [f"asks for {names}, and nothing was run: {why_not_run(exchange)}"] if names else []
    if all(call.state == NOT_RUN for call in calls):
        return [f"not run: {names}; {why_not_run(exchange)}"]
    return [f"ended with {reason} although it asks for {names}: taken as if it had ended with tool_use"]


def _is_paused(turn: Turn, exchange: Exchange) -> bool:
    """Whether the API wants its reply back to go on; a pasted request has no turns, and an empty reply no rest."""
    has_turns = turn.prompt.body is None or turn.prompt.continues_body
    if not has_turns or exchange.error is not None or exchange.message.stop_reason != "pause_turn":
        return False
    later = turn.prompt.later
    return history([*later, _reply(exchange)]).messages != history(later).messages


def _content(turn: Turn, name: str, value: Any) -> tuple[Block, ...]:
    """The blocks of a tool's result, without the key or anything shaped like one."""
    from ..api import credentials
    from ..tools.results import blocks

    write = functools.partial(write_value, settings=turn.settings)
    return blocks(value, name, write=write, hide=credentials.redact_secrets, most=turn.settings.value_chars)


def _fail(turn: Turn, error: ClaudeError) -> Turn:
    """The turn that cannot go on, such as for its budget."""
    return _remember(turn, turn.prompt.later, error)


def _remember(turn: Turn, later: Sequence[Message], error: ClaudeError) -> Turn:
    """The turn that ended early; its messages up to here are remembered."""
    exchange = turn.memory.remember(turn.prompt, replace(turn.exchange, error=error), later)
    return replace(turn, error=error).with_last(replace(exchange, error=None))


def _reply(exchange: Exchange) -> Message:
    return {"role": "assistant", "content": exchange.message.content}


def _results(calls: Sequence[Call]) -> Message:
    return {"role": "user", "content": [call.result for call in calls]}


def _sum_exchanges(exchange: Exchange) -> Exchange:
    """The last exchange of a turn, with a note on what all of them used."""
    several = (*exchange.earlier, exchange)
    if len(several) == 1:
        return exchange
    prices = [each.usd for each in several]
    tokens = sum(int(each.message.usage.get(n) or 0) for each in several for n in ("input_tokens", "output_tokens"))
    price = dollars(sum(usd for usd in prices if usd is not None)) if None not in prices else "price unknown"
    return exchange.with_notes(f"{len(several)} requests: {tokens:,} tokens, {price} in all")
