"""The differences between a request and the most similar recorded one, in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_MAX_VALUE = 60  # characters of a value
_MAX_DIFFERENCES = 4
_ABSENT = object()


def describe_nearest(body: Mapping[str, Any], recorded: Sequence[Mapping[str, Any]]) -> str:
    """A sentence on how `body` differs from the most similar of `recorded`."""
    if not recorded:
        return "nothing is recorded there."
    fields = dict(_leaves(body))
    differences = min((_differences(fields, dict(_leaves(each))) for each in recorded), key=_weight)
    listed = "; ".join(
        f"{name}: recorded {_excerpt(before, now)}, now {_excerpt(now, before)}"
        for name, before, now in differences[:_MAX_DIFFERENCES]
    )
    rest = len(differences) - _MAX_DIFFERENCES
    return f"the most similar recorded request differs in {listed}{f'; and {rest} more' if rest > 0 else ''}."


def _differences(fields: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The fields that differ: name, recorded value, present value."""
    names = [*recorded, *(name for name in fields if name not in recorded)]
    pairs = ((name, recorded.get(name, _ABSENT), fields.get(name, _ABSENT)) for name in names)
    return [(name, before, now) for name, before, now in pairs if before != now or type(before) is not type(now)]


def _weight(differences: Sequence[tuple[str, Any, Any]]) -> float:
    """Smaller for fewer differences, and for texts with a common beginning or end."""
    return sum(1 - 0.9 * _similarity(before, now) for _, before, now in differences)


def _similarity(one: Any, other: Any) -> float:
    if not isinstance(one, str) or not isinstance(other, str) or not one or not other:
        return 0.0
    same = _common_prefix(one, other) + _common_prefix(one[::-1], other[::-1])
    return min(1.0, same / max(len(one), len(other)))


def _common_prefix(one: str, other: str) -> int:
    """The number of equal characters at the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values of an object with their paths; without `stream`, which does not matter to the model."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            if name or key != "stream":
                yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{number}]")
    else:
        yield name, value


def _excerpt(value: Any, other: Any) -> str:
    """A value, shortened; of a long text, the part where it begins to differ from `other`."""
    if value is _ABSENT:
        return "nothing"
    if not isinstance(value, str):
        return json.dumps(value)[:_MAX_VALUE]
    begin = 0
    if isinstance(other, str) and len(value) > _MAX_VALUE:
        begin = max(0, min(_common_prefix(value, other) - 20, len(value) - _MAX_VALUE))
    excerpt = " ".join(value[begin : begin + _MAX_VALUE].split())
    return f"'{'…' * (begin > 0)}{excerpt}{'…' * (begin + _MAX_VALUE < len(value))}'"
