"""JSON values as source text: on one line where that fits, else an item a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

WIDTH = 88
DEEPEST = 90  # Python reads no more than 200 open brackets


@dataclass(frozen=True, kw_only=True)
class File:
    """In the place of a string: base64 of a file that the program reads.

    Attributes:
        before: Text in front of it, such as the start of a data URL.
    """

    path: str
    before: str = ""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """In the place of a string: what a program takes from its environment.

    Attributes:
        before: Text in front of it, such as `Bearer `.
    """

    name: str
    before: str = ""

    def __str__(self) -> str:
        return f"{self.before}${self.name}"


@dataclass(frozen=True, kw_only=True)
class Syntax:
    """How a language writes values.

    Attributes:
        text: A string; it may take several lines, which are not indented.
        key: The name of a field, colon excluded.
        words: `True`, `False` and `None`.
        padding: Between the braces and the fields of an object on one line.
        last_comma: Whether one follows the last item of several lines.
    """

    text: Callable[[str], str]
    key: Callable[[str], str]
    file: Callable[[File], str]
    variable: Callable[[Variable], str]
    words: tuple[str, str, str]
    indent: str
    padding: str = ""
    last_comma: bool = False


def literal(value: Any, syntax: Syntax, *, depth: int = 0, used: int = 0, broken: bool = False) -> str:
    """The source text of `value`.

    Args:
        depth: Of the line it stands in, in steps of indentation.
        used: Columns taken by what stands before it in that line.
        broken: An item a line, even if it would fit.

    Raises:
        RecursionError: It is nested too deeply.
    """
    if not isinstance(value, dict | list) or not value:
        return _flat(value, syntax)
    room = WIDTH - used - depth * len(syntax.indent)
    if not broken and _size(value) <= room:
        flat = _flat(value, syntax)
        if "\n" not in flat and len(flat) < room:
            return flat
    if depth > DEEPEST:
        raise RecursionError
    start, end = "{}" if isinstance(value, dict) else "[]"
    items = [syntax.indent * (depth + 1) + item for item in _items(value, syntax, depth + 1)]
    comma = "," if syntax.last_comma else ""
    return f"{start}\n" + ",\n".join(items) + f"{comma}\n{syntax.indent * depth}{end}"


def _items(value: dict[str, Any] | list[Any], syntax: Syntax, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        yield from (literal(item, syntax, depth=depth) for item in value)
        return
    for name, item in value.items():
        before = f"{syntax.key(name)}: "
        yield before + literal(item, syntax, depth=depth, used=len(before))


def _flat(value: Any, syntax: Syntax) -> str:
    if isinstance(value, str):
        return syntax.text(value)
    if isinstance(value, File):
        return syntax.file(value)
    if isinstance(value, Variable):
        return syntax.variable(value)
    if value is None or isinstance(value, bool):
        return syntax.words[2 if value is None else not value]
    if isinstance(value, list):
        return f"[{', '.join(_flat(item, syntax) for item in value)}]"
    if isinstance(value, dict):
        pad = syntax.padding if value else ""
        fields = ", ".join(f"{syntax.key(name)}: {_flat(item, syntax)}" for name, item in value.items())
        return f"{{{pad}{fields}{pad}}}"
    return repr(value)


def _size(value: Any) -> int:
    """At least how many columns `value` takes: quick, so that long texts are not escaped to be thrown away."""
    if isinstance(value, dict):
        return sum(len(name) + _size(item) + 2 for name, item in value.items()) + 1
    return sum(_size(item) + 1 for item in value) + 1 if isinstance(value, list) else len(str(value))
