"""A call on one line, as a programmer would write it, with its arguments shortened: `get_weather(city="Paris")`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice

from ..text.excerpt import plain_line, short_line

_NAME = 80
_VALUE = 48
_MOST = 6  # arguments, and items of a value


def call_line(name: object, arguments: object, limit: int = 120) -> str:
    """Name and arguments on one line, stripped of controls and of bounded length."""
    function = short_line(str(name), _NAME) or "?"
    if not isinstance(arguments, Mapping):
        return f"{function}({'' if arguments is None else value(arguments, limit)})"
    wide = _VALUE if len(arguments) > 1 else limit - 20
    pairs = (f"{short_line(str(key), 40)}={value(item, wide)}" for key, item in arguments.items())
    return f"{function}({join_items(pairs, len(arguments), limit)})"


def value(item: object, limit: int = _VALUE) -> str:
    """A JSON value on one line, its middle left out where it is long."""
    if isinstance(item, str):
        return json.dumps(short_line(item, limit), ensure_ascii=False)
    if isinstance(item, Mapping):
        inner = (f"{value(str(key), 20)}: {_inner(each, limit)}" for key, each in item.items())
        return f"{{{join_items(inner, len(item), limit)}}}"
    if isinstance(item, list | tuple):
        return f"[{join_items((_inner(each, limit) for each in item), len(item), limit)}]"
    if isinstance(item, int) and not isinstance(item, bool) and abs(item) >= 10**40:
        return "a large number"
    return plain_line(json.dumps(item, default=lambda other: type(other).__name__)[:200], limit)


def join_items(items: Iterable[str], count: int, limit: int) -> str:
    """As many items as fit, separated by commas, and a sign if there are more."""
    result, size = list[str](), 0
    for item in islice(items, _MOST):
        size += len(item) + 2
        if result and size > limit:
            break
        result.append(item)
    return ", ".join([*result, *(["…"] if len(result) < count else [])])


def _inner(item: object, limit: int) -> str:
    if isinstance(item, Mapping | list | tuple):
        return "…" if item else ("{}" if isinstance(item, Mapping) else "[]")
    return value(item, limit // 2)
