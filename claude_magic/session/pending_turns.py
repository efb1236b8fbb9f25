"""Turns that wait for the user and outlive their kernel: kept in the journal, and built anew from it.

Request and reply are rows of the journal. Beside them it keeps what they do not tell: the options that say what
becomes of the reply, the names of the functions, and results that were not sent yet. The functions themselves ended
with the kernel: they are looked up by name among the notebook's variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import CellError, SettingsError
from ..prompt.options.options import Options
from ..tools.remote_mcp import is_address
from ..wire import Exchange
from ..wire.tool import Call, Tool
from .history import Memory
from .ledger import Caller
from .prompt import Prompt
from .tool_selection import functions_named, unforced
from .turn import RESULTS, Turn

if TYPE_CHECKING:
    from ..journal import Journal
    from ..journal.pending_turns import PendingRow
    from .session import Session

_OPTIONS = (
    *("model", "max_tokens", "panel", "raw", "as_", "lang", "tag", "events", "tools", "mcp", "yes"),
    *("step", "run_tools", "profile", "provider", "out", "schema", "stream", "cache"),
)

_PROMPT = 1_000  # characters that show what was asked


def keep(session: Session, turn: Turn) -> tuple[Turn, str]:
    """Keeps a turn that waits in the journal.

    Returns:
        The turn, with the journal's ids of its exchanges; and why it will end with the kernel, or `""`.
    """
    journal = session.ledger.journal(turn.settings)
    if journal is None:
        return turn, "Claude.journal is '', so no journal is kept"
    if turn.exchange.replayed:
        return turn, "its reply is a replay"
    from ..journal.pending_turns import keep

    try:
        turn = _with_entries(turn, journal, session.ledger.session)
    except SettingsError as error:
        return turn, str(error).rstrip(".")
    if turn.exchange.entry is None:
        return turn, "its request could not be written into the journal"
    return turn, keep(journal, turn.exchange.entry, turn.caller.cell, _state(turn))


def _with_entries(turn: Turn, journal: Journal, session: str) -> Turn:
    """The turn with the journal's ids of its exchanges, also of those that were written late."""
    from ..journal.pending_turns import entries_of

    moments = [each.timing.began for each in turn.exchanges if each.entry is None]
    if not moments:
        return turn
    entries = entries_of(journal, session, turn.caller.cell, moments)
    several = tuple(
        each if each.entry is not None else each.with_record(entry=entries.get(each.timing.began))
        for each in turn.exchanges
    )
    return replace(turn, exchanges=several)


def release(session: Session, turn: Turn) -> bool:
    """Removes a turn that does not wait any more; whether another kernel has not done so before."""
    journal, entry = session.ledger.journal(turn.settings), turn.exchange.entry
    if journal is None or entry is None:
        return True
    from ..journal.pending_turns import remove

    try:
        return remove(journal, entry)
    except SettingsError:  # it cannot be written; the line under the next reply will say so
        return True


def find(session: Session, entry: int) -> PendingRow | None:
    """The turn that waits in the journal under this number; `None` if there is none."""
    from ..journal.pending_turns import pending_row

    journal = session.ledger.journal(session.settings_for(Options()))
    return None if journal is None else pending_row(journal, entry)


def find_all(session: Session) -> list[PendingRow]:
    """The turns of this notebook that wait in the journal, and whose kernel has ended."""
    from ..journal.pending_turns import pending_rows

    journal = session.ledger.journal(session.settings_for(Options()))
    if journal is None:
        return []
    try:
        rows = pending_rows(journal, session.cells.notebook)
    except SettingsError:  # it cannot be read; the line under the next reply will say so
        return []
    return [row for row in rows if row.session != session.ledger.session and not row.may_live]


def take(session: Session, row: PendingRow) -> bool:
    """Whether the turn still waited in the journal; from now on it does not.

    Raises:
        SettingsError: The journal cannot be written.
    """
    from ..journal.pending_turns import remove

    return remove(_journal(session), row.entry)


def calls_of(row: PendingRow) -> tuple[Call, ...]:
    """The calls of a turn in the journal."""
    return tuple(Call(**{**each, "content": tuple(each["content"])}) for each in row.state["calls"])


def restore(session: Session, row: PendingRow, namespace: Mapping[str, Any], *, runs: bool) -> Turn:
    """The turn as it waited, with the functions that the notebook has now.

    Args:
        runs: Whether its calls will run; else functions may be missing.

    Raises:
        CellError: One of its functions, or the class of its reply, is not defined; it still waits.
        SettingsError: The journal cannot be read.
    """
    journal, state = _journal(session), row.state
    options = Options(**{name: _value(value) for name, value in state["options"].items()})
    tools = _tools(row, options, namespace, runs=runs)
    schema = options.schema
    if isinstance(schema, str) and schema not in namespace:
        raise _not_defined(schema, row)
    *earlier, last = (journal.exchange(entry) for entry in (*state["earlier"], row.entry))
    last = replace(last, earlier=tuple(earlier), calls=calls_of(row))
    header = {name: value for name, value in last.request.headers.items() if name.lower() in state["headers"]}
    prompt = Prompt(
        options=replace(options, header=header, api_version=last.request.headers.get("anthropic-version")),
        text=state["prompt"],
        schema=namespace[schema] if isinstance(schema, str) else schema,
        tools=tools,
        body=unforced(last.request.body or {}),
        continues_body=True,
    )
    turn = Turn(
        prompt=prompt,
        settings=session.settings_for(options),
        memory=_memory(session, row),
        caller=Caller(cell=row.cell, notebook=row.notebook, conversation=row.conversation),
        exchanges=(*earlier, last),
        waits=state["waits"],
    )
    return turn if turn.waits != RESULTS else turn.with_messages(*_messages(last))


def _state(turn: Turn) -> dict[str, Any]:
    """What request and reply do not tell of a turn, as JSON."""
    options, default = turn.prompt.options, Options()
    values = {name: getattr(options, name) for name in _OPTIONS}
    return {
        "waits": turn.waits,
        "prompt": turn.prompt.text[:_PROMPT],
        "calls": [vars(call) | {"arguments": dict(call.arguments)} for call in turn.exchange.calls],
        "earlier": [each.entry for each in turn.exchanges[:-1] if each.entry is not None],
        "functions": [name for name, tool in turn.prompt.tools.items() if tool.run is not None],
        "headers": [name.lower() for name in options.header],
        "options": {
            name: value for name, value in values.items() if value != getattr(default, name) and _is_json(value)
        },
    }


def _is_json(value: object) -> bool:
    """Whether an option is text, a number or names; what Python gave as a class ends with the kernel."""
    return isinstance(value, str | int | float | dict) or (
        isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    )


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _tools(row: PendingRow, options: Options, namespace: Mapping[str, Any], *, runs: bool) -> Mapping[str, Tool]:
    offers = replace(Options(), tools=options.tools, mcp=tuple(name for name in options.mcp if not is_address(name)))
    tools = functions_named(row.state["functions"], offers, namespace)
    missing = [name for name in row.state["functions"] if name not in tools]
    if missing and runs:
        raise _not_defined(missing[0], row)
    return tools


def _not_defined(name: str, row: PendingRow) -> CellError:
    return CellError(
        f"{name} is not defined in this kernel, and the turn that waits needs it. Run the cell that defines {name}, "
        f"then %claude --approve {row.entry} again; nothing was run or sent."
    )


def _memory(session: Session, row: PendingRow) -> Memory:
    """Where the reply is remembered: its conversation ended with the kernel, so it begins there as one turn."""
    if not row.conversation:
        return Memory(cell=row.cell)
    conversation = session.conversations.open(row.conversation)
    if len(conversation):
        note = f"not remembered: conversation {row.conversation} has begun anew since the kernel was restarted"
        return Memory(cell=row.cell, note=note)
    return Memory(cell=row.cell, conversation=conversation, plan=conversation.plan(row.cell))


def _messages(exchange: Exchange) -> Sequence[Mapping[str, Any]]:
    """The reply, and the results of its calls."""
    results = [call.result for call in exchange.calls]
    return {"role": "assistant", "content": exchange.message.content}, {"role": "user", "content": results}


def _journal(session: Session) -> Journal:
    journal = session.ledger.journal(session.settings_for(Options()))
    if journal is None:
        raise SettingsError("no journal is kept: Claude.journal is ''. Set it to None, or to a path.")
    return journal
