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
from ..prompt.options.help import help_text
from ..prompt.options.keywords import options_of, words_of
from ..prompt.options.options import Options
from ..session.prompt import Prompt, build_prompt
from ..session.tool_selection import as_list, refuse_unapproved
from ..wire.presenter import SilentPresenter
from .ipython.prompt_namespace import prompt_namespace
from .output import result
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
    """The result of `claude(text, ...)`.

    Raises:
        ClaudeError: It cannot be sent, or failed.
    """
    if not isinstance(text, str):
        raise CellError(
            f"claude takes a text, not {type(text).__name__}: {text!r:.80}. "
            "Other values go into the text, or with attach=; turns with turns=True."
        )
    several = as_list(tools)
    options = options_of({**keywords, "tools": [each for each in several if isinstance(each, str)]})
    if options.help:
        return Text(help_text(text))
    if options.endpoint is not None:
        from .endpoint_cell import call_from_python

        found = call_from_python(handle, handle.shell(), options, text)
        return Text(found) if isinstance(found, str) else found
    magics = magics_of(handle)
    if options.approve or options.refuse is not None:
        _needed(magics, "approve and refuse").resume(options, text)
        return None
    prompt = build_prompt(
        options,
        format_line(words_of(keywords)) if options.save else "",
        text,
        namespace=prompt_namespace(magics.shell) if magics is not None else {},
        snippets=handle.session.snippets,
        last_error=magics.last_error if magics is not None else LastError(),
        settings=handle.session.settings_for(Options()),
        functions=[each for each in several if not isinstance(each, str)],
        fills=False,
    )
    if _is_shown(prompt.options):
        _needed(magics, "events, raw, panel, diff and step").answer(prompt)
        return None
    if not prompt.options.yes:
        refuse_unapproved(prompt.tools)
    return _answer(handle, prompt, magics)


def magics_of(handle: ClaudeHandle) -> ClaudeMagics | None:
    """The magics of the shell that runs; `None` in plain Python."""
    shell = handle.shell()
    magics: ClaudeMagics | None = None if shell is None else shell.magics_manager.registry.get("ClaudeMagics")
    return magics


def _needed(magics: ClaudeMagics | None, what: str) -> ClaudeMagics:
    if magics is None:
        raise SettingsError(f"{what} need a notebook: run %load_ext claude_magic first.")
    return magics


def _is_shown(options: Options) -> bool:
    return bool(options.events or options.raw or options.diff or options.step or options.panel is not None)


def _answer(handle: ClaudeHandle, prompt: Prompt, magics: ClaudeMagics | None) -> Any:
    options, session = prompt.options, handle.session
    if options.show:
        return Text(session.program(prompt))
    if options.count:
        from .token_count import count_prompt

        return count_prompt(session, prompt)
    if options.preview:
        return Text(preview_text(session.preview(prompt)))
    if options.batch and not options.openai:
        return _batch(handle, prompt, magics)
    if options.compare or options.times > 1 or options.openai:
        return _ask_several(session, prompt, magics)
    exchange = _with_notes(session.ask(prompt), prompt)
    session.last = exchange
    if exchange.error is not None:
        raise exchange.error
    value = result(options, exchange, prompt.schema)
    if options.out:
        _needed(magics, "out")
    if magics is not None:
        magics.turns.use(options, value)
    return exchange


def _batch(handle: ClaudeHandle, prompt: Prompt, magics: ClaudeMagics | None) -> Any:
    """The batch that answers; `out` binds it too."""
    from ..batch.cell_batches import batch_of_cell
    from ..batch.compare import combinations
    from ..batch.estimate import YES
    from .price_approval import approver

    options, session = prompt.options, handle.session
    namespace = magics.shell.user_ns if magics is not None else {}
    several = combinations(options, namespace, session.snippets) if options.compare else ()
    batch = batch_of_cell(session, prompt, several, approver=approver(handle), permit=YES)
    if options.out:
        _needed(magics, "out").shell.push({options.out: batch})
    return batch


def _ask_several(session: Session, prompt: Prompt, magics: ClaudeMagics | None) -> list[Exchange]:
    """The exchanges of `times` or `compare`; `out` binds what a cell would bind."""
    from ..batch.compare import combinations, results

    options = prompt.options
    value: Any
    if options.compare or options.openai:
        several = combinations(options, magics.shell.user_ns if magics is not None else {}, session.snippets)
        prompts = [replace(prompt, options=each.options) for each in several]
        exchanges = session.ask_each(prompts, [SilentPresenter()] * len(prompts))
        value = results(several, exchanges)
    else:
        exchanges = session.ask_each([prompt] * options.times, [SilentPresenter()] * options.times)
        failed = next((each.error for each in exchanges if each.error is not None), None)
        if failed is not None:
            raise failed
        value = [result(options, each, prompt.schema).value for each in exchanges]
    if options.out:
        _needed(magics, "out").shell.push({options.out: value})
    return [_with_notes(each, prompt) for each in exchanges]


def _with_notes(exchange: Exchange, prompt: Prompt) -> Exchange:
    """The exchange with what was cut, assumed or changed: there is no page above the reply."""
    notes = [f"{each.title}: {each.note}" for each in prompt.attachments if each.note]
    return exchange.with_notes(*notes, *prompt.notes)
