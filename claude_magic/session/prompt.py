"""What a cell asks: its text with snippets and variables filled in, its attachments, schema and tools."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import CellError
from ..prompt.last_error import EXPLAIN, FIX, LastError
from ..prompt.options.options import Options, merge
from ..prompt.options.parser import parse_line, without_actions
from ..prompt.snippets import Snippets
from ..settings import Claude
from ..wire.short_text import Object

if TYPE_CHECKING:
    from ..prompt.attachments.attach import Attachment
    from ..wire.tool import Tool
    from .conversation import ConversationTurn

MANY = 20  # images in a request from which on the API takes only smaller ones

Message = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What one cell asks, and what stands before it in a conversation.

    Attributes:
        text: With snippets before it and variables filled in.
        attachments: What goes with the text.
        schema: The class or schema of the reply; `None` for free text.
        tools: The functions that this kernel runs if the reply calls them, by name.
        notes: What was cut from the variables in the text.
        body: The whole request body, sent as it is, from a pasted curl command; `None` to build it from the rest.
        continues_body: Whether `body` is the last request of a turn that goes on: `later` follows its messages.
        headers: Further headers, from a pasted curl command.
        earlier: The turns of the conversation before this one.
        previous: The id of the reply whose request a cached one is compared with; `None` for none.
        later: The messages of this turn that follow its own: replies and tool results.
    """

    options: Options = field(default_factory=Options)
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    schema: Any = None
    tools: Mapping[str, Tool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    body: Message | None = None
    continues_body: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[ConversationTurn, ...] = ()
    later: tuple[Message, ...] = ()
    previous: str | None = None

    @property
    def system(self) -> str | None:
        """The system prompt written in the text with `--turns`; `None` leaves it to the options and the settings."""
        return self._content[0]

    @property
    def own(self) -> tuple[Message, ...]:
        """The messages that the cell spells out, as the API's JSON.

        Raises:
            CellError: There is nothing to send.
        """
        return self._content[1]

    @property
    def new(self) -> tuple[Message, ...]:
        """The messages that no request of this turn has sent before."""
        if not self.later:
            return self.own
        return self.later[-1:] if self.later[-1]["role"] == "user" else ()

    @property
    def files(self) -> Mapping[str, str]:
        """The base64 data of attachments, and the file each came from."""
        pairs = ((each.block.get("source", {}), each.source) for each in self.attachments)
        return Object({source["data"]: path for source, path in pairs if source.get("type") == "base64"})

    @property
    def has_pending_files(self) -> bool:
        """Whether attachments are to be uploaded, or looked up, before it is sent."""
        return any(each.pending for each in self.attachments)

    @property
    def not_uploaded(self) -> tuple[str, ...]:
        """The names of files whose ids are not known, in a prompt that is shown and not sent."""
        return tuple(each.title for each in self.attachments if each.not_uploaded)

    @property
    def uploaded_only(self) -> Prompt:
        """The same without those files."""
        return replace(self, attachments=tuple(each for each in self.attachments if not each.not_uploaded))

    def check(self) -> None:
        """Reads the text.

        Raises:
            CellError: There is nothing to send.
        """
        self._content  # noqa: B018  a property that reads it once

    @functools.cached_property
    def _content(self) -> tuple[str | None, tuple[Message, ...]]:
        if self.body is not None:
            return None, tuple(self.body.get("messages") or ()) if self.continues_body else ()
        if not self.options.turns:
            return None, (_with_attachments({"role": "user", "content": self.text}, self.attachments),)
        from ..prompt.turns import parse_turns

        system, messages = parse_turns(self.text)
        last = max(index for index, message in enumerate(messages) if message["role"] == "user")
        return system, (*messages[:last], _with_attachments(messages[last], self.attachments), *messages[last + 1 :])


def build_prompt(
    options: Options,
    line: str,
    text: str,
    *,
    namespace: Mapping[str, Any],
    snippets: Snippets,
    last_error: LastError,
    settings: Claude,
    functions: Iterable[Any] = (),
    fills: bool = True,
) -> Prompt:
    """What a cell asks.

    Args:
        line: Its options as written, for `--save`.
        settings: How much of a variable's value is inserted.
        functions: Functions, definitions and servers offered besides those named in the options.
        fills: Whether variables are filled into the text; they always are into snippets.

    Raises:
        CellError: A snippet, a variable or a file does not exist or cannot be sent; nothing was sent.
    """
    if options.save:
        snippets.keep(options.save, without_actions(line, text), text)
    options, before = _with_snippets(options, snippets)
    notes: list[str] = []
    typed = _join_texts(before, text) if options.with_ else text
    if fills:
        text = _fill(typed, options, namespace, settings, notes)
    elif options.with_:
        text = _join_texts(_fill(before, options, namespace, settings, notes), text)
    if options.explain or options.fix:
        text = last_error.message(text if text.strip() else FIX if options.fix else EXPLAIN)
    if options.complete:
        from ..prompt.completions import inserted_turns, read_completion

        inserted = inserted_turns(typed, text)
        options, text, changes = read_completion(options, text, system=settings.system)
        notes = [*changes, *inserted, *notes]
    attachments = _attachments(options, namespace, settings)
    prompt = Prompt(options=options, text=text, attachments=attachments, notes=tuple(dict.fromkeys(notes)))
    values = tuple(functions)
    if values or options.tools or options.server_tools or options.mcp or options.tool_choice:
        from .tool_selection import select

        options, tools = select(options, namespace, values)
        prompt = replace(prompt, options=options, tools=tools)
    return _with_schema(prompt, namespace)


def write_value(value: Any, settings: Claude) -> str:
    """How a variable's value is written in a prompt."""
    from ..prompt.values import format_value

    return format_value(value, table_rows=settings.table_rows, value_chars=settings.value_chars)


def _with_snippets(options: Options, snippets: Snippets) -> tuple[Options, str]:
    """The options with those of `--with`, and the texts of these snippets."""
    before = ""
    for name in reversed(options.with_):
        snippet = snippets[name]
        line = without_actions(snippet.line, "")  # the file may be older, or written by hand
        options = merge(parse_line(line, text_follows=False)[0], options)
        before = _join_texts(snippet.text, before) if before else snippet.text
    return options, before


def _fill(text: str, options: Options, namespace: Mapping[str, Any], settings: Claude, notes: list[str]) -> str:
    """The text with its variables filled in; what was cut is added to `notes`."""
    if "{{" not in text or options.curl:  # a pasted command is no template
        return text
    from ..prompt.templates import fill_template

    write: Callable[[Any], str] = functools.partial(write_value, settings=settings)
    if options.turns:
        from ..prompt.turns import has_markers

        write = functools.partial(_write_into_turn, settings=settings) if has_markers(text) else write
    return fill_template(text, namespace, write, allow_secret=options.allow_secret, tell=notes.append)


def _write_into_turn(value: Any, settings: Claude) -> str:
    """How a variable's value is written into a turn, which ends where it was typed to end."""
    from ..prompt.turns import escape_lines
    from ..prompt.values import FormattedValue

    text = write_value(value, settings)
    return FormattedValue.of(escape_lines(text), getattr(text, "cut", ""))


def _with_attachments(message: Message, attachments: tuple[Attachment, ...]) -> Message:
    """A user message with its attachments before the text."""
    text = str(message["content"])
    if not attachments and not text.strip():
        raise CellError("the cell is empty: there is nothing to send. Write the message in the lines below %%claude.")
    if not attachments:
        return message
    blocks = [dict(attachment.block) for attachment in attachments]
    return {**message, "content": [*blocks, {"type": "text", "text": text}] if text.strip() else blocks}


def _join_texts(first: str, second: str) -> str:
    return "\n\n".join(filter(str.strip, (first, second)))


def _attachments(options: Options, namespace: Mapping[str, Any], settings: Claude) -> tuple[Attachment, ...]:
    if not options.attach:
        if options.upload:
            raise CellError("--upload: there is nothing to upload. Name it with -a.")
        return ()
    upload = options.upload
    few = [each for name in options.attach for each in _attach(name, namespace, settings, upload, many=False)]
    if sum(each.block["type"] == "image" for each in few) <= MANY:
        return tuple(few)
    return tuple(each for name in options.attach for each in _attach(name, namespace, settings, upload, many=True))


def _attach(name: Any, namespace: Mapping[str, Any], settings: Claude, upload: bool, *, many: bool) -> list[Attachment]:
    """The attachments that a name, or from Python a value, stands for."""
    from ..prompt.attachments.attach import attach

    write = functools.partial(write_value, settings=settings)
    if isinstance(name, str):
        return attach(name, namespace, write=write, many=many, upload=upload)
    title = type(name).__name__
    return attach(title, {title: name}, write=write, many=many, upload=upload)


def _with_schema(prompt: Prompt, namespace: Mapping[str, Any]) -> Prompt:
    """The prompt with the fields that ask for structured output.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
    """
    kind = prompt.options.schema
    if kind is None:
        return prompt
    if isinstance(kind, str):
        if kind not in namespace:
            raise CellError(f"--schema {kind}: there is no such variable. Define it in a cell above.")
        kind = namespace[kind]
    from ..tools.schema.reply import schema

    output = {"format": {"type": "json_schema", "schema": schema(kind)}}
    param = {**prompt.options.param, "output_config": {**prompt.options.param.get("output_config", {}), **output}}
    return replace(prompt, options=replace(prompt.options, param=param), schema=kind)
