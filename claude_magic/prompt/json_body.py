"""The JSON body of a cell, checked before anything is sent; `{{name}}` inserts a notebook variable.

Outside of a string it becomes the variable's value as JSON, inside of one its text, as in every prompt. What JSON
readers let pass or drop in silence is refused here: a name that stands twice, NaN, a number that is too large.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import CellError
from .templates import fill_template

_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|(\{\{[^{}\n]*\}\})', re.DOTALL)
_SPARE = (0x100000, 0xF0000)  # private characters that stand for a value until the JSON is read
_MOST_VALUES = 10_000
_ESCAPE = r"\\"  # a backslash within a string of JSON


def json_body(
    text: str,
    namespace: Mapping[str, Any] | None,
    write: Callable[[Any], str],
    *,
    allow_secret: bool = False,
    tell: Callable[[str], None] | None = None,
) -> dict[str, Any] | None:
    """The body that `text` says; `None` if it is blank.

    Args:
        namespace: The notebook's variables; `None` to insert none, as from Python.
        write: From a value to the text that is inserted into a string.
        tell: Called with a note for each value that was cut.

    Raises:
        CellError: It is no JSON object, with line and column; or a variable does not exist, looks like a secret, or
            cannot be JSON.
    """
    if not text.strip():
        return None
    if namespace is None:
        return _parsed(text, text)
    variables = namespace
    values: list[Any] = []
    base = next((each for each in _SPARE if not any(each <= ord(c) < each + _MOST_VALUES for c in text)), _SPARE[0])

    def reserve(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        values.append(_value(match, text, variables, allow_secret))
        return '"' + chr(base + len(values) - 1) * (len(match[0]) - 2) + '"'

    body = _parsed(_PIECES.sub(reserve, text), text)

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            if value and (number := ord(value[0]) - base) in range(len(values)):
                return values[number]
            return fill_template(value, variables, write, allow_secret=allow_secret, tell=tell, escape=_ESCAPE)
        if isinstance(value, dict):
            return _checked([(_name(fill(name)), fill(item)) for name, item in value.items()])
        return [fill(item) for item in value] if isinstance(value, list) else value

    filled: dict[str, Any] = fill(body)
    return filled


def _value(match: re.Match[str], text: str, namespace: Mapping[str, Any], allow_secret: bool) -> Any:
    """The variable that stands outside of any string, as JSON."""
    held: list[Any] = []

    def keep(value: Any) -> str:
        held.append(as_json(value, match[0]))
        return json.dumps(held[0], ensure_ascii=False)

    fill_template(match[0], namespace, keep, allow_secret=allow_secret, escape=_ESCAPE)
    if not held:
        raise CellError(f"the body is not JSON: {_place(text, match.start())}: {match[0]} names no variable.")
    return held[0]


def as_json(value: Any, place: str) -> Any:
    """A variable's value as the JSON that is sent.

    Raises:
        CellError: It cannot be JSON.
    """
    try:
        return json.loads(json.dumps(value, default=_plain, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise CellError(
            f"{place} cannot be a JSON value: a {type(value).__name__}. Write it inside a string to insert its text."
        ) from None


def _plain(value: Any) -> Any:
    """A number of numpy, a mapping or a set as what JSON has for it."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    if hasattr(value, "tolist") and type(value).__module__.split(".")[0] == "numpy":
        return value.tolist()
    raise TypeError


def _parsed(text: str, typed: str) -> dict[str, Any]:
    try:
        body = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise CellError(
            f"the body is not JSON: {_place(typed, error.pos)}: {error.msg}: {_excerpt(typed, error.pos)}. "
            "Nothing was sent."
        ) from None
    except _RefusedError as error:
        raise CellError(f"the body is not JSON that can be sent: {error}. Nothing was sent.") from None
    except RecursionError:
        raise CellError("the body is nested too deeply. Nothing was sent.") from None
    if not isinstance(body, dict):
        raise CellError("the body is no JSON object: { … }. Nothing was sent.")
    return body


class _RefusedError(Exception):
    """What `json` would accept, or drop in silence."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise _RefusedError(f"the name {twice[:60]!r} stands twice in one object")
    return dict(pairs)


def _checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these, whose names are those of variables by now."""
    try:
        return _object(pairs)
    except _RefusedError as error:
        raise CellError(f"the body is not JSON that can be sent: {error}. Nothing was sent.") from None


def _refuse_constant(word: str) -> Any:
    raise _RefusedError(f"{word} is no number of JSON")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _RefusedError(f"{text[:40]} is too large a number")
    return number


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise CellError(f"a name in the body is a {type(name).__name__}: {str(name)[:60]}. Names are texts.")
    return name


def _place(text: str, position: int) -> str:
    before = text[:position]
    return f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}"


def _excerpt(text: str, position: int) -> str:
    line = text[position : position + 30].split("\n")[0]
    return repr(line) if line.strip() else "at the end of the line"
