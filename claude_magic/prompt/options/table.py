"""How the options of `%%claude` are written: one table for the line, its help, and the Tab key."""

from __future__ import annotations

import json
import keyword
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...errors import CellError
from .options import Options

KINDS = ("text", "markdown", "code", "json", "html")
LANGUAGES = ("curl", "python", "typescript", "openai", "requests", "http")
MOST_TIMES = 20
COMPARED = ("model", "max-tokens", "system", "temperature", "top-p", "top-k", "effort", "stop", "api-version")
SERVER_TOOLS = {  # by short name, what help says
    "web-search": "let Claude search the web",
    "web-fetch": "let Claude read pages of the web",
    "code-execution": "let Claude run code on the API's side",
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option: how it is written, and where its value goes.

    Attributes:
        words: What stands after the name, as help shows it; empty for a switch.
        read: From the words to the value.
        gather: Whether values add up instead of the last one counting.
        also: A field that it sets to True besides.
        several: Whether more words of the form NAME=... belong to it.
        left_out: What stands for its word where that may be left out.
        action: Whether it says what to do with a cell, not what the cell asks; a snippet does not hold it.
    """

    names: tuple[str, ...]
    help: str
    words: tuple[str, ...] = ()
    read: Callable[..., Any] = str
    field: str = ""
    gather: bool = False
    also: str = ""
    several: bool = False
    left_out: str = "main"
    action: bool = False

    @property
    def optional(self) -> bool:
        """Whether its word may be left out."""
        return self.words[0][:1] == "[" if self.words else False

    @property
    def target(self) -> str:
        return self.field or self.names[-1].lstrip("-").replace("-", "_")


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def _tokens(value: str) -> int:
    if not (value.isdecimal() and value.isascii()):
        raise ValueError("is not a whole number")
    return int(value)


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return int(number) if value.lstrip("+-").isdecimal() else number


def _variable(value: str) -> str:
    if not value.isidentifier() or keyword.iskeyword(value):
        raise ValueError("is not a variable name")
    return value


def _kind(value: str) -> str:
    if value not in KINDS:
        raise ValueError(f"is one of {', '.join(KINDS)}")
    return value


def _times(value: str) -> int:
    if not (value.isdecimal() and value.isascii() and 1 <= int(value) <= MOST_TIMES):
        raise ValueError(f"is a whole number from 1 to {MOST_TIMES}")
    return int(value)


def _parse_compare(*words: str) -> dict[str, tuple[str, ...]]:
    """By the name of an option, its values."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        known = tuple(dict.fromkeys(filter(None, (value.strip() for value in values.split(",")))))
        if not equals or not known or name.replace("_", "-") not in COMPARED:
            raise ValueError(f"takes NAME=A,B, where NAME is one of {', '.join(COMPARED)}")
        found[name.replace("-", "_")] = known
    if math.prod(map(len, found.values())) > MOST_TIMES:
        raise ValueError(f"asks for more than {MOST_TIMES} replies")
    return found


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"is one of {', '.join(LANGUAGES)}")
    return value


def _field(name: str, value: str) -> tuple[str, Any]:
    try:
        return name, json.loads(value)
    except ValueError:
        raise ValueError("is not JSON (text is written as '\"text\"')") from None


def _pair(name: str, value: str) -> tuple[str, str]:
    return name, value


_TABLE = (
    Option(names=("-m", "--model"), words=("MODEL",), read=_text, help="the model that answers"),
    Option(names=("-t", "--max-tokens"), words=("N",), read=_tokens, help="longest reply, in tokens"),
    Option(names=("-s", "--system"), words=("TEXT",), help="system prompt"),
    Option(names=("--temperature",), words=("X",), read=_number, help="sampling; newer models refuse it"),
    Option(names=("--top-p",), words=("X",), read=_number, help="sampling; newer models refuse it"),
    Option(names=("--top-k",), words=("N",), read=_tokens, help="sampling; newer models refuse it"),
    Option(names=("--stop",), words=("TEXT",), gather=True, help="end the reply before this text; repeatable"),
    Option(names=("--thinking",), help="ask for adaptive thinking, summarized"),
    Option(names=("--effort",), words=("LEVEL",), read=_text, help="low, medium, high, xhigh or max"),
    Option(
        names=("--param",),
        words=("NAME", "JSON"),
        read=_field,
        gather=True,
        help="any other field of the API, sent as given; repeatable",
    ),
    Option(names=("--header",), words=("NAME", "VALUE"), read=_pair, gather=True, help="a further header; repeatable"),
    Option(names=("--api-version",), words=("DATE",), read=_text, help="the anthropic-version header"),
    Option(names=("--stream",), help="show the reply while it is written"),
    Option(names=("--no-stream",), field="stream", read=lambda: False, help="ask for the whole reply at once"),
    Option(names=("--panel",), help="show the panel under the reply"),
    Option(names=("--no-panel",), field="panel", read=lambda: False, help="leave the panel out"),
    Option(names=("--raw",), help="show the reply's source text instead of rendering it"),
    Option(
        names=("-c", "--continue"),
        words=("[NAME]",),
        field="conversation",
        help="go on with a conversation: main, or NAME",
    ),
    Option(
        names=("--new",),
        words=("[NAME]",),
        field="conversation",
        also="fresh",
        help="begin a conversation anew with this cell",
    ),
    Option(names=("--turns",), help="the text holds turns: lines that begin with user:, assistant:, system:"),
    Option(names=("--go-on",), help="ask for the rest of a reply that was cut off"),
    Option(
        names=("-a", "--attach"),
        words=("X",),
        read=_text,
        gather=True,
        help="send a file, pattern, URL or variable too; repeatable",
    ),
    Option(names=("--allow-secret",), help="let {{name}} insert what looks like a secret"),
    Option(names=("--schema",), words=("NAME",), read=_variable, help="the reply has the form of this class or schema"),
    Option(names=("--as",), words=("KIND",), read=_kind, field="as_", help="text, markdown, code, json or html"),
    Option(names=("--lang",), words=("NAME",), read=_text, help="with --as code: the language of the block to take"),
    Option(names=("--tag",), words=("NAME",), read=_text, help="take the content of <NAME>...</NAME>"),
    Option(names=("--explain",), help="ask why the last cell failed"),
    Option(names=("--fix",), help="ask for the corrected cell, as the next input"),
    Option(names=("--times",), words=("N",), read=_times, help="ask N times at once, replies side by side"),
    Option(
        names=("--compare",),
        words=("NAME=A,B",),
        read=_parse_compare,
        several=True,
        help="ask with each of these values, side by side; @x is a variable or snippet; repeatable words",
    ),
    Option(
        names=("--show",),
        action=True,
        words=("LANGUAGE",),
        read=_language,
        help="print the request as a program instead of sending it: " + ", ".join(LANGUAGES),
    ),
    Option(names=("--curl",), help="the text is a curl command: send what it would send"),
    Option(names=("--events",), action=True, help="list the server-sent events as they arrive, with their times"),
    Option(names=("--diff",), action=True, help="show what changed since this cell's previous run"),
    Option(names=("--count",), action=True, help="count the tokens of each portion; send nothing to a model"),
    Option(names=("--preview",), action=True, help="show the request, its tokens and its price; send nothing"),
    Option(names=("--save",), action=True, words=("NAME",), read=_text, help="keep this cell as a snippet"),
    Option(
        names=("--with",), words=("NAME",), read=_text, field="with_", gather=True, help="put a snippet before the text"
    ),
    Option(names=("--again",), action=True, help="ask, although an answer is recorded"),
    Option(
        names=("--tools",),
        words=("A,B",),
        read=_text,
        gather=True,
        help="functions that Claude may call, and you approve; repeatable",
    ),
    Option(names=("--tool-choice",), words=("X",), read=_text, help="auto, any, none, or the name of a tool"),
    *(
        Option(names=(f"--{short}",), field="server_tools", read=partial(str, short), gather=True, help=said)
        for short, said in SERVER_TOOLS.items()
    ),
    Option(
        names=("--mcp",),
        words=("X",),
        read=_text,
        gather=True,
        help="an MCP server: its https:// address, or the variable of a local one; repeatable",
    ),
    Option(names=("--yes",), help="run the calls without asking"),
    Option(names=("--step",), action=True, help="stop after each message, and show all of them"),
    Option(names=("--approve",), action=True, help="run the calls that wait"),
    Option(
        names=("--refuse",),
        action=True,
        words=("[WHY]",),
        left_out="",
        help="refuse the calls that wait; Claude is told why",
    ),
    Option(names=("--run-tools",), action=True, help="run functions although their results are recorded"),
    Option(names=("--profile",), words=("NAME",), read=_text, help="use these settings of the project"),
    Option(names=("-o", "--out"), words=("NAME",), read=_variable, help="put the reply's text into this variable"),
    Option(names=("-h", "--help"), action=True, help="show this"),
)
BY_NAME = {name: option for option in _TABLE for name in option.names}


def help_text() -> str:
    """The parser's own help."""
    rows = [(" ".join((", ".join(option.names), *option.words)), option.help) for option in _TABLE]
    return "\n".join(
        (
            "%%claude [options]          the lines below are the message, sent exactly as typed",
            "%claude [options] text      the same on one line",
            "%claude                     what is set: model, endpoint, where the key comes from",
            "",
            "The reply is streamed and rendered as Markdown, with a panel of the response headers.",
            "",
            "Options:",
            *(f"  {left:<24}{right}" for left, right in rows),
            "",
            "Values with spaces stand in quotes. In %claude, a [NAME] is written -c=NAME,",
            "and text after -- may begin with a dash.",
            "Defaults: %config Claude",
        )
    )


def with_value(options: Options, name: str, value: str) -> Options:
    """`options` with the option of this field set to a value as it is written.

    Raises:
        CellError: It is none of that option.
    """
    written = "--" + name.replace("_", "-")
    try:
        read = BY_NAME[written].read(value)
    except ValueError as error:
        raise CellError(f"--compare {name}: {error}: {value[:80]!r}.") from None
    change: dict[str, Any] = {name: (read,) if name == "stop" else read}
    return replace(options, **change)


def names() -> list[str]:
    """All option names, for suggestions."""
    return list(BY_NAME)
