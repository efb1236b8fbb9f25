"""`claude(text, ...)`: what a cell with these options does, from Python.

The text is sent exactly as given. What a cell would only print (`show`, `preview`, `count`, `help`) is returned, and so
are the exchanges of `times` and `compare`. Options that say how a reply is shown show it, as the cell would: the call
then returns nothing, and `claude.last` is the exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import CellError, SettingsError
from ..prompt.last_error import LastError
from ..prompt.options.formatter import format_line
from ..prompt.options.keywords import options_of, words_of
from ..prompt.options.options import Options
from ..prompt.options.table import help_text
from ..session.prompt import Prompt, build_prompt
from ..session.tool_selection import refuse_unapproved, several
from .views import preview_text

if TYPE_CHECKING:
    from ..session.session import Session
    from ..wire import Exchange
    from .claude import ClaudeHandle
    from .magics import ClaudeMagics


class Text(str):
    """A text that a cell shows as it is, not in quotes."""

    def __repr__(self) -> str:
        return str(self)


def call(handle: ClaudeHandle, text: str, tools: Any, keywords: Mapping[str, Any]) -> Any:
    """What `claude(text, ...)` returns.

    Raises:
        ClaudeError: It cannot be asked, or failed.
    """
    if not isinstance(text, str):
        raise CellError(
            f"claude takes a text, not {type(text).__name__}: {text!r:.80}. "
            "Other values go into the text, or with attach=; turns with turns=True."
        )
    offered = several(tools)
    options = options_of({**keywords, "tools": [each for each in offered if isinstance(each, str)]})
    if options.help:
        return Text(help_text())
    session, shell = handle.session, handle.shell()
    magics = None if shell is None else shell.magics_manager.registry.get("ClaudeMagics")
    if options.approve or options.refuse is not None:
        _needed(magics, "approve and refuse").go_on(options, text)
        return None
    cell = build_prompt(
        options,
        format_line(words_of(keywords)) if options.save else "",
        text,
        namespace=shell.user_ns if shell is not None else {},
        snippets=session.snippets,
        failing=magics.failing if magics is not None else LastError(),
        write=session.format_value,
        given=[each for each in offered if not isinstance(each, str)],
        fills=False,
    )
    if _is_shown(cell.options):
        _needed(magics, "events, raw, panel, diff and step").answer(cell)
        return None
    if not cell.options.yes:
        refuse_unapproved(cell.tools)
    return _answer(handle, cell, magics)


def _needed(magics: ClaudeMagics | None, what: str) -> ClaudeMagics:
    if magics is None:
        raise SettingsError(f"{what} need a notebook: run %load_ext claude_magic first.")
    return magics


def _is_shown(options: Options) -> bool:
    return bool(options.events or options.raw or options.diff or options.step or options.panel is not None)


def _answer(handle: ClaudeHandle, cell: Prompt, magics: ClaudeMagics | None) -> Any:
    options, session = cell.options, handle.session
    if options.show:
        return Text(session.program(options, cell.text, "", cell.attached))
    if options.count:
        return handle.count(cell.text, attached=cell.attached, read=options)
    if options.preview:
        return Text(preview_text(session.preview(options, cell.text, "", cell.attached)))
    if options.compare or options.times > 1:
        return _ask_several(session, cell, magics)
    exchange = _with_notes(session.ask(options, cell.text, attached=cell.attached, tools=cell.tools), cell)
    session.last = exchange
    if exchange.error is not None:
        raise exchange.error
    _conclude(cell, exchange, magics)
    return exchange


def _ask_several(session: Session, cell: Prompt, magics: ClaudeMagics | None) -> list[Exchange]:
    """The exchanges of `times` or `compare`, and what `out` binds of them."""
    from ..batch.compare import combinations, results
    from ..wire.presenter import SilentPresenter
    from .output import result

    options = cell.options
    namespace = magics.shell.user_ns if magics is not None else {}
    made: Any
    if options.compare:
        several = combinations(options, namespace, session.snippets)
        asked = [each.options for each in several]
        exchanges = session.ask_each(asked, cell.text, [SilentPresenter()] * len(asked), "", cell.attached)
        made = results(several, exchanges)
    else:
        exchanges = session.ask_times(options, cell.text, [SilentPresenter()] * options.times, "", cell.attached)
        failed = next((each.error for each in exchanges if each.error is not None), None)
        if failed is not None:
            raise failed
        made = [result(options, each, cell.schema).value for each in exchanges]
    if options.out:
        _needed(magics, "out").shell.push({options.out: made})
    return [_with_notes(each, cell) for each in exchanges]


def _conclude(cell: Prompt, exchange: Exchange, magics: ClaudeMagics | None) -> None:
    """What a cell makes of its reply: the variable of `out`, and the next cell."""
    from .output import result

    made = result(cell.options, exchange, cell.schema)
    if cell.options.out:
        _needed(magics, "out").shell.push({cell.options.out: made.value})
    if made.next_input is not None and magics is not None:
        magics.offer(made.next_input)


def _with_notes(exchange: Exchange, cell: Prompt) -> Exchange:
    """The exchange with what was cut, assumed or changed: there is no page above the reply."""
    told = [f"{each.title}: {each.note}" for each in cell.attached if each.note]
    return replace(exchange, notes=(*exchange.notes, *told, *cell.notes))
