"""The options of `%%claude` in one table: how each is written, what it means, where it applies, what Tab offers.

The parser, help, the Tab key, the keywords of `claude(...)` and `claude.map(...)`, `--compare`, `--curl`, grading and
snippets all read this table; an option is added here and as a field of `Options`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

from ...errors import CellError
from ...export import LANGUAGES
from ...settings import PROVIDERS
from .option import (
    MAX_REPLIES,
    Option,
    Scope,
    choice,
    field,
    named,
    number,
    pair,
    text,
    times,
    tokens,
    variable,
    variable_or_path,
)
from .options import Options, Pair

KINDS = ("text", "markdown", "code", "json", "html")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
CACHE_TIMES = ("5m", "1h")
TOOL_CHOICES = ("auto", "any", "none")
SERVER_TOOLS = {  # short name: help
    "web-search": "let Claude search the web",
    "web-fetch": "let Claude read web pages",
    "code-execution": "let Claude run code on the API's side",
}

METHODS = {  # HTTP method: help
    "GET": "call an endpoint of the API, such as /v1/models; without a path, list them",
    "POST": "the same with the cell's text as the JSON body; asks before it changes something",
    "PUT": "the same",
    "PATCH": "the same",
    "DELETE": "the same, without a body",
}

# Scopes of several options: fields of the request, and what only says how the reply is shown.
_SETTING = Scope.MAP | Scope.COMPARE | Scope.SNIPPET
_REQUEST = Scope.MAP | Scope.SNIPPET
_ENDPOINT = Scope.MAP | Scope.GRADE | Scope.SNIPPET
_VIEW = Scope.CURL | Scope.SNIPPET
_ACTION = Scope.CURL
_PATHS = ("/", "http://", "https://")


def _endpoint(method: str, path: str) -> tuple[str, str]:
    """Method and path of a call."""
    return method, path


def _parse_compare(*words: str) -> dict[str, tuple[str, ...]]:
    """The values to compare, by option name."""
    compared: dict[str, tuple[str, ...]] = {}
    known = [option.names[-1].lstrip("-") for option in in_scope(Scope.COMPARE)]
    for word in words:
        name, equals, rest = word.partition("=")
        name = name.replace("_", "-")
        values = tuple(filter(None, (value.strip() for value in rest.split(","))))
        if not equals or not values or name not in known:
            raise ValueError(f"takes NAME=A,B, where NAME is one of {', '.join(known)}")
        if twice := [value for value in dict.fromkeys(values) if values.count(value) > 1]:
            raise ValueError(f"names {name}={twice[0]} twice; --times 2 asks each question twice")
        if name.replace("-", "_") in compared:
            raise ValueError(f"names {name} twice; write all its values in one list, {name}=A,B")
        compared[name.replace("-", "_")] = values
    if math.prod(map(len, compared.values())) > MAX_REPLIES:
        raise ValueError(f"asks for more than {MAX_REPLIES} replies")
    return compared


_TABLE = [
    Option(
        names=("-m", "--model"),
        words=("MODEL",),
        read=text,
        scope=_SETTING | Scope.GRADE,
        completes=("models",),
        help="the model that answers; haiku, sonnet, opus: the newest of them",
    ),
    Option(
        names=("-t", "--max-tokens"),
        words=("N",),
        read=tokens,
        scope=_SETTING,
        help="the longest reply, in tokens",
    ),
    Option(names=("-s", "--system"), words=("TEXT",), scope=_SETTING, help="system prompt"),
    Option(
        names=("--temperature",),
        words=("X",),
        read=number,
        scope=_SETTING,
        help="sampling temperature; newer models refuse it",
    ),
    Option(names=("--top-p",), words=("X",), read=number, scope=_SETTING, help="sampling; newer models refuse it"),
    Option(names=("--top-k",), words=("N",), read=tokens, scope=_SETTING, help="sampling; newer models refuse it"),
    Option(
        names=("--stop",),
        words=("TEXT",),
        gather=True,
        scope=_SETTING,
        help="end the reply before this text; repeatable",
    ),
    Option(names=("--thinking",), scope=_REQUEST, help="ask for adaptive thinking, summarized"),
    Option(
        names=("--cache",),
        words=("[TIME]",),
        read=partial(choice, CACHE_TIMES),
        omitted=CACHE_TIMES[0],
        begins=CACHE_TIMES,
        scope=_REQUEST,
        choices=CACHE_TIMES,
        help="keep tools, system, attachments and earlier turns in the prompt cache; how long:",
    ),
    Option(
        names=("--effort",),
        words=("LEVEL",),
        read=text,
        scope=_SETTING,
        choices=EFFORTS,
        help="how thoroughly Claude works:",
    ),
    Option(
        names=("--param",),
        words=("NAME", "JSON"),
        read=field,
        gather=True,
        scope=_REQUEST,
        help="any other field of the request body, sent as given; repeatable",
    ),
    Option(
        names=("--header",),
        words=("NAME", "VALUE"),
        read=pair,
        gather=True,
        scope=_ENDPOINT | Scope.CALL,
        help="an additional header; repeatable",
    ),
    Option(
        names=("--api-version",),
        words=("DATE",),
        read=text,
        scope=_SETTING | Scope.GRADE | Scope.CALL,
        help="the anthropic-version header",
    ),
    Option(names=("--stream",), scope=_REQUEST, help="show the reply while it arrives"),
    Option(
        names=("--no-stream",),
        field="stream",
        read=lambda: False,
        scope=_REQUEST,
        help="request the whole reply at once",
    ),
    Option(names=("--panel",), scope=_VIEW | Scope.CALL, help="show the panel under the reply"),
    Option(names=("--no-panel",), field="panel", read=lambda: False, scope=_VIEW | Scope.CALL, help="hide the panel"),
    Option(names=("--raw",), scope=_VIEW, help="show the reply's source text instead of rendering it"),
    Option(
        names=("-c", "--continue"),
        words=("[NAME]",),
        field="conversation",
        scope=_REQUEST,
        completes=("conversations",),
        help="continue a conversation: main, or NAME",
    ),
    Option(
        names=("--new",),
        words=("[NAME]",),
        field="conversation",
        also="fresh",
        scope=_REQUEST,
        completes=("conversations",),
        help="start a conversation again with this cell",
    ),
    Option(names=("--turns",), help="the text holds turns: lines that begin with user:, assistant:, system:"),
    Option(
        names=("--complete",),
        help="the text is a prompt of Text Completions (Human: ..., Assistant:): send it as messages",
    ),
    Option(names=("--legacy",), also="complete", help="send such a prompt as it is, to /v1/complete"),
    Option(names=("--finish",), aliases=("--go-on",), help="ask for the rest of a reply that was cut off"),
    Option(
        names=("-a", "--attach"),
        words=("X",),
        read=text,
        gather=True,
        completes=("files", "variables"),
        help="also send a file, pattern, URL, file_... id or variable; repeatable",
    ),
    Option(names=("--upload",), help="upload what is attached once, and refer to it by its id"),
    Option(
        names=("--allow-secret",), scope=Scope.SNIPPET | Scope.CALL, help="let {{name}} insert what looks like a secret"
    ),
    Option(
        names=("--schema",),
        words=("NAME",),
        read=variable,
        completes=("variables",),
        help="the reply has the form of this class or schema",
    ),
    Option(
        names=("--as",),
        words=("KIND",),
        read=partial(choice, KINDS),
        field="as_",
        scope=_VIEW,
        choices=KINDS,
        help="what to make of the reply:",
    ),
    Option(
        names=("--lang",),
        words=("NAME",),
        read=text,
        scope=_VIEW,
        help="with --as code: the language of the block to take",
    ),
    Option(names=("--tag",), words=("NAME",), read=text, scope=_VIEW, help="take the content of <NAME>...</NAME>"),
    Option(names=("--explain",), help="ask why the last cell failed"),
    Option(names=("--fix",), help="ask for the corrected cell, as the next input"),
    Option(
        names=("--times",),
        words=("N",),
        read=times,
        scope=_VIEW,
        help="send the same request N times, replies side by side",
    ),
    Option(
        names=("--compare",),
        words=("NAME=A,B",),
        read=_parse_compare,
        several=True,
        completes=("compared",),
        help="one request with each of these values, side by side; @x is a variable or snippet; repeatable words",
    ),
    Option(
        names=("--openai",),
        help="send it in OpenAI's form too, to /v1/chat/completions, and show what differs; both replies are paid",
    ),
    Option(
        names=("--batch",),
        scope=Scope.NONE,
        help="answer by a message batch, within a day and at half the price; also with --times and --compare",
    ),
    Option(
        names=("--show",),
        words=("LANGUAGE",),
        read=partial(choice, LANGUAGES),
        scope=_ACTION | Scope.CALL,
        choices=LANGUAGES,
        help="print the request as a program instead of sending it:",
    ),
    Option(names=("--curl",), scope=_VIEW, help="the text is a curl command: send what it would send"),
    Option(names=("--events",), scope=_ACTION, help="list the server-sent events as they arrive, with their times"),
    Option(names=("--diff",), scope=_ACTION, help="show what changed since this cell's previous run"),
    Option(names=("--count",), scope=_ACTION, help="count the tokens of each part of the request; no model is asked"),
    Option(names=("--preview",), scope=_ACTION, help="show the request, its tokens and its price; send nothing"),
    Option(names=("--save",), words=("NAME",), read=text, scope=_ACTION, help="keep this cell as a snippet"),
    Option(
        names=("--with",),
        words=("NAME",),
        read=text,
        field="with_",
        gather=True,
        scope=_VIEW,
        completes=("snippets",),
        help="put a snippet before the text; repeatable",
    ),
    Option(
        names=("--again",),
        scope=Scope.MAP | Scope.GRADE | Scope.CURL | Scope.CALL,
        help="send even if a recorded answer exists",
    ),
    Option(
        names=("--tools",),
        words=("A,B",),
        read=text,
        gather=True,
        completes=("variables",),
        help="functions that Claude may call, and you approve; repeatable",
    ),
    Option(
        names=("--tool-choice",),
        words=("X",),
        read=text,
        scope=_REQUEST,
        choices=TOOL_CHOICES,
        completes=("variables",),
        help="auto, any, none, or the name of a tool",
    ),
    *(
        Option(
            names=(f"--{name}",),
            field="server_tools",
            read=partial(str, name),
            gather=True,
            scope=_REQUEST,
            help=description,
        )
        for name, description in SERVER_TOOLS.items()
    ),
    Option(
        names=("--mcp",),
        words=("X",),
        read=text,
        gather=True,
        completes=("variables",),
        help="an MCP server: its https:// address, or the variable of a local one; repeatable",
    ),
    Option(names=("--yes",), scope=_REQUEST | Scope.CURL | Scope.CALL, help="run tool calls without asking"),
    Option(names=("--step",), scope=_ACTION, help="stop after each message, and show it"),
    Option(
        names=("--approve",),
        scope=_ACTION,
        help="run the tool calls that wait for approval, or those of a name",
    ),
    Option(
        names=("--refuse",),
        words=("[WHY]",),
        omitted="",
        scope=_ACTION,
        help="refuse the tool calls that wait for approval; Claude is told why",
    ),
    Option(names=("--run-tools",), scope=Scope.MAP | Scope.CURL, help="when replaying, really run the tools"),
    Option(
        names=("--profile",),
        words=("NAME",),
        read=text,
        scope=_ENDPOINT | Scope.CURL | Scope.CALL,
        help="use these settings of the project",
    ),
    Option(
        names=("--provider",),
        words=("NAME",),
        read=partial(choice, PROVIDERS),
        scope=_SETTING | Scope.GRADE | Scope.CALL,
        choices=PROVIDERS,
        help="who answers:",
    ),
    Option(
        names=("-o", "--out"),
        words=("NAME",),
        read=variable_or_path,
        scope=_VIEW | Scope.CALL,
        completes=("variables",),
        help="put the reply's text into this variable; what an endpoint answers also into a file",
    ),
    *(
        Option(
            names=(f"--{method.lower()}",),
            words=("[PATH]",),
            read=partial(_endpoint, method),
            field="endpoint",
            omitted="",
            begins=_PATHS,
            scope=Scope.CALL,
            completes=("endpoints",),
            help=description,
        )
        for method, description in METHODS.items()
    ),
    Option(
        names=("--query",),
        words=("NAME", "VALUE"),
        read=Pair,
        gather=True,
        scope=Scope.CALL,
        help="with --get and the like: a parameter of the query; repeatable",
    ),
    Option(
        names=("--file",),
        words=("NAME=PATH",),
        read=named,
        gather=True,
        scope=Scope.CALL,
        help="with --post and the like: send this file as the part NAME; repeatable",
    ),
    Option(names=("--all",), field="all_pages", scope=Scope.CALL, help="with --get: all pages of a list"),
    Option(
        names=("-h", "--help"),
        scope=_ACTION | Scope.CALL,
        help="list the options; the name of a group or an option may follow, or all",
    ),
]


def all_options() -> tuple[Option, ...]:
    """Every option, in the order of the help."""
    return tuple(_TABLE)


def in_scope(scope: Scope) -> list[Option]:
    """The options that apply there."""
    return [option for option in _TABLE if scope in option.scope]


def find(name: str) -> Option | None:
    """The option of this name, such as `-m`, or of this former name."""
    return next((option for option in _TABLE if name in (*option.names, *option.aliases)), None)


def names() -> list[str]:
    """All option names, for suggestions; no aliases."""
    return [name for option in _TABLE for name in option.names]


def with_value(options: Options, name: str, word: str) -> Options:
    """`options` with one field set, for `--compare`.

    Args:
        name: The field, such as `max_tokens`.
        word: Its value as typed.

    Raises:
        CellError: The value is invalid.
    """
    option = find("--" + name.replace("_", "-"))
    if option is None:
        raise CellError(f"--compare {name}: there is no such option.")
    try:
        value = option.read(word)
    except ValueError as error:
        raise CellError(f"--compare {name}: {error}: {word[:80]!r}.") from None
    change: dict[str, Any] = {option.target: (value,) if option.gather else value}
    return replace(options, **change)
