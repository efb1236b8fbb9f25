"""The options of a cell as a value; `table` defines how each is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any

from ...errors import CellError, did_you_mean

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CREDENTIALS = {"authorization", "x-api-key", "proxy-authorization", "cookie"}
_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type"}
_OPTION_OF = {
    "model": "--model",
    "max_tokens": "--max-tokens",
    "messages": "the cell's text",
    "stream": "--stream or --no-stream",
}


@dataclass(frozen=True)
class Pair:
    """A name and a value, of an option that may name the same thing several times."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a cell; `None` means the setting's value, or that the field is left out of the request.

    Attributes:
        cache: How long the stable prefix of the prompt is kept in the cache, such as `5m`; `""` for not.
        param: Additional fields of the request's body, sent as given.
        header: Additional headers.
        conversation: Name of the conversation to continue; `""` for none, even if the setting names one.
        fresh: Whether that conversation starts again with this cell.
        turns: Whether the text holds turns, marked `user:` and `assistant:`.
        complete: Whether the text is the prompt of a text completion, to be sent as messages.
        legacy: Whether it is sent as it is, to `/v1/complete`.
        finish: Whether to ask for the rest of the last reply.
        attach: Paths, patterns, URLs or variables to send with the text; from Python also values.
        upload: Whether files and values are uploaded once, and sent by their ids.
        allow_secret: Whether a variable that looks like a secret may be sent.
        schema: Name of the variable with the class or schema of the reply; from Python also its value.
        as_: What to make of the reply: text, markdown, code, json or html.
        lang: Language of the code block to take from the reply.
        tag: Name of the element whose content is taken from the reply.
        explain: Whether the last exception is the message.
        fix: The same, with the corrected cell as the next input.
        times: How many times to send the request, concurrently.
        compare: The values to compare, as typed, by option name.
        openai: Whether it is also sent in OpenAI's form, to compare; of one of the two requests, that it has this form.
        batch: Whether a message batch answers.
        show: Language in which to show the request instead of sending it.
        curl: Whether the text is a curl command, to be sent as a request.
        events: Whether to list the events as they arrive, instead of the reply.
        count: Whether to count the tokens instead of sending the request.
        diff: Whether to show what changed since this cell's previous run.
        preview: Whether to show the request instead of sending it.
        save: Name of the snippet to store the cell as.
        with_: Names of snippets that are put before the text.
        again: Whether to send even if a recorded answer exists.
        tools: Names of functions, definitions and servers that Claude may call.
        tool_choice: `auto`, `any`, `none`, or the name of a tool.
        mcp: Addresses of remote MCP servers, and names of local ones.
        server_tools: Short names of tools that the API runs itself.
        yes: Whether tool calls run without approval.
        step: Whether to stop after each message.
        approve: Whether to run the tool calls that wait for approval.
        refuse: The reason for refusing the tool calls that wait; `None` if they are not refused.
        notes: Notes on what is sent, shown with the reply.
        run_tools: Whether tools really run when replaying.
        profile: Name of the project's settings to use.
        provider: Who answers; `""` for the setting's value.
        out: Name of the variable that gets the reply's text; beside `endpoint` perhaps a path.
        endpoint: Method and path of the API that is called instead of a question; the path is `""` to list them.
        query: Parameters of that call.
        file: Files of that call: the name of the part, and the path.
        all_pages: Whether to ask for all pages of a list.
    """

    model: str | None = None
    max_tokens: int | None = None
    system: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    thinking: bool = False
    cache: str = ""
    effort: str | None = None
    param: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    api_version: str | None = None
    stream: bool | None = None
    panel: bool | None = None
    raw: bool = False
    conversation: str | None = None
    fresh: bool = False
    turns: bool = False
    complete: bool = False
    legacy: bool = False
    finish: bool = False
    attach: tuple[Any, ...] = ()
    upload: bool = False
    allow_secret: bool = False
    schema: Any = None
    as_: str = ""
    lang: str = ""
    tag: str | None = None
    explain: bool = False
    fix: bool = False
    times: int = 1
    compare: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    openai: bool = False
    batch: bool = False
    show: str = ""
    curl: bool = False
    events: bool = False
    count: bool = False
    diff: bool = False
    preview: bool = False
    save: str | None = None
    with_: tuple[str, ...] = ()
    again: bool = False
    tools: tuple[str, ...] = ()
    tool_choice: str | None = None
    mcp: tuple[str, ...] = ()
    server_tools: tuple[str, ...] = ()
    yes: bool = False
    step: bool = False
    approve: bool = False
    refuse: str | None = None
    notes: tuple[str, ...] = ()
    run_tools: bool = False
    profile: str = ""
    provider: str = ""
    out: str | None = None
    endpoint: tuple[str, str] | None = None
    query: tuple[Pair, ...] = ()
    file: tuple[Pair, ...] = ()
    all_pages: bool = False
    help: bool = False

    def body(self) -> dict[str, Any]:
        """The fields of the request's body that these options set."""
        values: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "stop_sequences": list(self.stop) or None,
            "thinking": {"type": "adaptive", "display": "summarized"} if self.thinking else None,
            "output_config": {"effort": self.effort} if self.effort else None,
        }
        body = {name: value for name, value in values.items() if value is not None}
        for name, value in self.param.items():
            known = body.get(name)
            body[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        return body


def check(options: Options) -> Options:
    """`options`, after a check of their fields and headers.

    Raises:
        CellError: `param` sets a field that has its own option, or a header is reserved or invalid.
    """
    for name in options.param:
        if name in _OPTION_OF:
            raise CellError(f"--param {name} is refused: use {_OPTION_OF[name]}.")
    for name, value in options.header.items():
        check_header(name, value)
    if options.out is not None and options.endpoint is None and not options.out.isidentifier():
        raise CellError(f"-o is not a variable name: {options.out[:80]!r}.")
    if options.endpoint is None and (options.query or options.file or options.all_pages):
        name = "query" if options.query else "file" if options.file else "all"
        raise CellError(f"--{name} belongs to a call of an endpoint: --get, --post, --put, --patch or --delete.")
    return options


def is_ours(name: str) -> bool:
    """Whether a header of this name is a credential, or set by the client."""
    return name.lower() in _CREDENTIALS or name.lower() in _OURS


def check_header(name: str, value: object, said: str = "--header") -> None:
    """Holds that a header can be sent, and is neither a credential nor one that is set anyway.

    Args:
        said: How the user gave it, for messages.

    Raises:
        CellError: It cannot.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise CellError(f"{said}: not a header name: {name[:80]!r}.")
    if name.lower() in _CREDENTIALS:
        raise CellError(f"{said} {name} is refused: the key comes from the environment or claude.login().")
    if name.lower() in _OURS:
        raise CellError(f"{said} {name} is refused: it is set for you.")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise CellError(f"{said} {name}: the value holds a control or non-ASCII character.")


def merge(under: Options, over: Options) -> Options:
    """`under`, overridden by the options that `over` sets."""
    changes = {f.name: getattr(over, f.name) for f in fields(Options) if getattr(over, f.name) != _default(f)}
    return replace(under, **changes)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default is not MISSING else {}


def nearest(name: str, known: list[str]) -> str:
    """A sentence that offers the known name most like `name`; `""` if none is like it."""
    import difflib

    return did_you_mean(difflib.get_close_matches(name, known, n=1, cutoff=0.4))
