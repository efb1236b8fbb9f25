"""From what stands in a cell to what is sent: its snippets, its variables, its attachments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import CellError
from ..prompt.last_error import EXPLAIN, FIX, LastError
from ..prompt.options.options import Options, merge
from ..prompt.options.parser import parse_line, without_actions
from ..prompt.snippets import Snippets

if TYPE_CHECKING:
    from ..prompt.attachments.attach import Attachment
    from ..wire.tool import Tool

MANY = 20  # images in a request from which on the API takes only smaller ones


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A cell, ready to become a question.

    Attributes:
        text: With snippets before it and variables in it.
        attached: What goes with the text.
        schema: The class or schema that the reply has the form of; `None` for free text.
        tools: What this kernel runs if the reply asks for it, by name.
        notes: What of the variables in the text was cut.
    """

    options: Options
    text: str
    attached: tuple[Attachment, ...] = ()
    schema: Any = None
    tools: Mapping[str, Tool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def build_prompt(
    options: Options,
    line: str,
    text: str,
    *,
    namespace: Mapping[str, Any],
    snippets: Snippets,
    failing: LastError,
    write: Callable[[Any], str],
    given: Iterable[Any] = (),
    fills: bool = True,
) -> Prompt:
    """What a cell asks.

    Args:
        line: Its options as written, for `--save`.
        write: From a variable's value to the text that is inserted.
        given: Functions, definitions and servers that are offered besides those named in the options.
        fills: Whether the text is filled with variables; that of snippets always is.

    Raises:
        CellError: A snippet, a variable or a file is not there or cannot be sent; nothing was.
    """
    if options.save:
        snippets.keep(options.save, without_actions(line, text), text)
    before = ""
    for name in reversed(options.with_):
        snippet = snippets[name]
        kept = without_actions(snippet.line, "")  # the file may be older, or written by hand
        options = merge(parse_line(kept, text_follows=False)[0], options)
        before = _join_texts(snippet.text, before) if before else snippet.text
    notes: list[str] = []

    def fill(text: str) -> str:
        if "{{" not in text or options.curl:  # what was pasted is no template
            return text
        from ..prompt.templates import fill_template

        return fill_template(text, namespace, write, allow_secret=options.allow_secret, tell=notes.append)

    if fills:
        text = fill(_join_texts(before, text) if options.with_ else text)
    elif options.with_:
        text = _join_texts(fill(before), text)
    if options.explain or options.fix:
        text = failing.message(text if text.strip() else FIX if options.fix else EXPLAIN)
    said = tuple(dict.fromkeys(notes))
    made = Prompt(options=options, text=text, attached=_attachments(options, namespace, write), notes=said)
    functions = tuple(given)
    if functions or options.tools or options.server_tools or options.mcp or options.tool_choice:
        from .tool_selection import select

        options, tools = select(options, namespace, functions)
        made = replace(made, options=options, tools=tools)
    if options.schema is None:
        return made
    if not isinstance(options.schema, str):
        return _with_schema(made, options.schema)
    if options.schema not in namespace:
        raise CellError(f"--schema {options.schema}: there is no such variable. Define it in a cell above.")
    return _with_schema(made, namespace[options.schema])


def content(text: str, attached: tuple[Attachment, ...]) -> str | list[dict[str, Any]]:
    """The content of a user message: the text alone, or after what is attached."""
    if not attached:
        return text
    blocks = [dict(attachment.block) for attachment in attached]
    return [*blocks, {"type": "text", "text": text}] if text.strip() else blocks


def _join_texts(first: str, second: str) -> str:
    return "\n\n".join(filter(str.strip, (first, second)))


def _attachments(options: Options, namespace: Mapping[str, Any], write: Callable[[Any], str]) -> tuple[Attachment, ...]:
    if not options.attach:
        return ()
    found = [each for name in options.attach for each in _found(name, namespace, write, many=False)]
    if sum(each.block["type"] == "image" for each in found) > MANY:
        found = [each for name in options.attach for each in _found(name, namespace, write, many=True)]
    return tuple(found)


def _found(name: Any, namespace: Mapping[str, Any], write: Callable[[Any], str], *, many: bool) -> list[Attachment]:
    """What a name, or from Python a value, stands for."""
    from ..prompt.attachments.attach import attach

    if isinstance(name, str):
        return attach(name, namespace, write=write, many=many)
    title = type(name).__name__
    return attach(title, {title: name}, write=write, many=many)


def _with_schema(made: Prompt, kind: Any) -> Prompt:
    """Ask for structured output.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
    """
    from ..tools.schema.reply import schema

    wanted = {"format": {"type": "json_schema", "schema": schema(kind)}}
    param = {**made.options.param, "output_config": {**made.options.param.get("output_config", {}), **wanted}}
    return replace(made, options=replace(made.options, param=param), schema=kind)
