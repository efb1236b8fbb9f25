"""One option of `%%claude`: how it is written, where it applies, and how its values are read."""

from __future__ import annotations

import functools
import json
import keyword
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from .options import Options, Pair

MAX_REPLIES = 20


class Scope(Flag):
    """Where an option applies, besides `%%claude`, `%claude` and `claude(...)`, which take every option."""

    NONE = 0
    MAP = auto()  # the keywords of claude.map and claude.count
    GRADE = auto()  # passed on from claude.map to the model that grades
    COMPARE = auto()  # --compare NAME=A,B
    CURL = auto()  # beside --curl, because it leaves the request unchanged
    CALL = auto()  # beside --get, --post, --put, --patch and --delete
    SNIPPET = auto()  # stored by --save and applied by --with; the others only act on the cell they stand in


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        names: Its names, the long one last.
        aliases: Earlier names, which go on working but are not shown.
        words: The values after the name, as help shows them; empty for a switch, `[NAME]` if it may be omitted.
        read: Converts the values; raises `ValueError` with the end of a sentence about them.
        field: The field of `Options` it sets; `""` for the one named like the option.
        gather: Whether repeated values accumulate; otherwise the last one counts.
        also: Another field, which it sets to True.
        several: Whether more values of the form NAME=... may follow.
        omitted: The value if `[NAME]` is omitted.
        begins: What a value begins with that may be omitted, where text may follow it; empty for a value that is then
            written with an equals sign.
        choices: The values that Tab offers; `read` decides which are valid. Help that ends with a colon lists them.
        completes: What else Tab offers: `models`, `conversations`, `snippets`, `variables`, `files`, `endpoints` or
            `compared`.
        scope: Where else it applies.
    """

    names: tuple[str, ...]
    help: str
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    read: Callable[..., Any] = str
    field: str = ""
    gather: bool = False
    also: str = ""
    several: bool = False
    omitted: str = "main"
    begins: tuple[str, ...] = ()
    scope: Scope = Scope.SNIPPET
    choices: Collection[str] = ()
    completes: tuple[str, ...] = ()

    @property
    def is_optional(self) -> bool:
        """Whether its value may be omitted."""
        return self.words[0][:1] == "[" if self.words else False

    @functools.cached_property
    def target(self) -> str:
        """The field of `Options` it sets."""
        return self.field or self.keyword

    @functools.cached_property
    def keyword(self) -> str:
        """Its long name as a keyword of Python, such as `max_tokens`."""
        return self.names[-1].lstrip("-").replace("-", "_")

    def is_set(self, options: Options) -> bool:
        """Whether `options` hold a value that this option sets."""
        value = getattr(options, self.target)
        if self.words:
            return bool(value != getattr(Options(), self.target))
        switch = True if self.read is str else self.read()
        return bool(switch in value if self.gather else value == switch)


def text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def tokens(value: str) -> int:
    if not (value.isdecimal() and value.isascii()):
        raise ValueError("is not a whole number")
    return int(value)


def number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return int(number) if value.lstrip("+-").isdecimal() else number


def named(value: str) -> Pair:
    """`NAME=VALUE`."""
    name, equals, rest = value.partition("=")
    if not name or not equals or not rest:
        raise ValueError("takes NAME=PATH")
    return Pair(name, rest)


def variable_or_path(value: str) -> str:
    """A variable, or a path: `check` looks whether there may be one."""
    return value if any(sign in value for sign in "/\\.~") and value.strip() else variable(value)


def variable(value: str) -> str:
    if not value.isidentifier() or keyword.iskeyword(value):
        raise ValueError("is not a variable name")
    return value


def choice(choices: Collection[str], value: str) -> str:
    if value not in choices:
        raise ValueError(f"is one of {', '.join(choices)}")
    return value


def times(value: str) -> int:
    if not (value.isdecimal() and value.isascii() and 1 <= int(value) <= MAX_REPLIES):
        raise ValueError(f"is a whole number from 1 to {MAX_REPLIES}")
    return int(value)


def field(name: str, value: str) -> tuple[str, Any]:
    try:
        return name, json.loads(value)
    except ValueError:
        raise ValueError("is not JSON (text is written as '\"text\"')") from None


def pair(name: str, value: str) -> tuple[str, str]:
    return name, value
