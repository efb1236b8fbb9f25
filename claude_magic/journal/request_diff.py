"""What differs between a request and the nearest of those that were recorded, in a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_SHOWN = 60  # characters of a value
_MOST = 4  # differences told
_NOWHERE = object()


def nearest(body: Mapping[str, Any], recorded: Sequence[Mapping[str, Any]]) -> str:
    """What differs from the nearest of `recorded`, a sentence."""
    if not recorded:
        return "nothing is recorded there."
    asked = dict(_leaves(body))
    found = min((_differences(asked, dict(_leaves(each))) for each in recorded), key=_weight)
    told = "; ".join(
        f"{name}: recorded {_excerpt(was, now)}, now {_excerpt(now, was)}" for name, was, now in found[:_MOST]
    )
    more = f"; and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"the nearest request differs in {told}{more}."


def _differences(asked: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    names = [*recorded, *(name for name in asked if name not in recorded)]
    pairs = ((name, recorded.get(name, _NOWHERE), asked.get(name, _NOWHERE)) for name in names)
    return [(name, was, now) for name, was, now in pairs if was != now or type(was) is not type(now)]


def _weight(differences: Sequence[tuple[str, Any, Any]]) -> float:
    """Few differences before many, and among them those of texts that begin or end alike."""
    return sum(1 - 0.9 * _likeness(was, now) for _, was, now in differences)


def _likeness(one: Any, other: Any) -> float:
    if not isinstance(one, str) or not isinstance(other, str) or not one or not other:
        return 0.0
    same = _alike(one, other) + _alike(one[::-1], other[::-1])
    return min(1.0, same / max(len(one), len(other)))


def _alike(one: str, other: str) -> int:
    """How many characters they begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Values under their paths; `stream` says nothing of what is asked."""
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
    """A value, or of a long text where it begins to differ from the other."""
    if value is _NOWHERE:
        return "nothing"
    if not isinstance(value, str):
        return json.dumps(value)[:_SHOWN]
    begin = 0
    if isinstance(other, str) and len(value) > _SHOWN:
        begin = max(0, min(_alike(value, other) - 20, len(value) - _SHOWN))
    cut = " ".join(value[begin : begin + _SHOWN].split())
    return f"'{'…' * (begin > 0)}{cut}{'…' * (begin + _SHOWN < len(value))}'"
