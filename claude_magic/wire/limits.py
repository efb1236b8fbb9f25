"""Limits that an annotation sets: `Annotated[int, Field(ge=1)]`, or the notes of annotated_types.

They are known by their attributes, so that pydantic need not be there; each is a keyword of JSON Schema, which binds
only values of its own type.
Source: https://json-schema.org/draft/2020-12/json-schema-validation#section-6
"""

from __future__ import annotations

import datetime
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .unfit import Unfit, seen

_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool], str]] = {
    "ge": ("minimum", operator.ge, "less than the minimum of"),
    "gt": ("exclusiveMinimum", operator.gt, "not greater than"),
    "le": ("maximum", operator.le, "greater than the maximum of"),
    "lt": ("exclusiveMaximum", operator.lt, "not less than"),
}
_LENGTHS = {
    "min_length": ({"string": "minLength", "array": "minItems", "object": "minProperties"}, operator.ge, "short"),
    "max_length": ({"string": "maxLength", "array": "maxItems", "object": "maxProperties"}, operator.le, "long"),
}
NAMES = (*_BOUNDS, *_LENGTHS, "multiple_of", "pattern")
_TIMES = (datetime.date, datetime.time, datetime.timedelta)


def limits(notes: Iterable[Any]) -> dict[str, Any]:
    """The limits among the notes of an Annotated, by pydantic's names of them.

    Raises:
        ValueError: A pattern is none.
    """
    found = {
        name: getattr(note, name)
        for note in _each(notes)
        for name in NAMES
        if not isinstance(note, str) and getattr(note, name, None) is not None
    }
    if "pattern" in found:
        found["pattern"] = getattr(found["pattern"], "pattern", found["pattern"])
        try:
            re.compile(found["pattern"])
        except (re.error, TypeError) as error:
            raise ValueError(f"{seen(found['pattern'])} is no pattern: {error}") from None
    return found


def limited(made: dict[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with the limits as its keywords."""
    keywords: dict[str, Any] = {}
    for name, limit in found.items():
        if name in _LENGTHS:
            by_type = _LENGTHS[name][0]
            keywords |= {by_type[kind]: limit for kind in (_types(made) or by_type) if kind in by_type}
        elif name == "pattern":
            keywords[name] = limit
        elif isinstance(limit, int | float | Decimal):
            keyword = "multipleOf" if name == "multiple_of" else _BOUNDS[name][0]
            keywords[keyword] = float(limit) if isinstance(limit, Decimal) else limit
    return {**({"anyOf": [made]} if "$ref" in made else made), **keywords} if keywords else made


def check(value: Any, made: Any, found: Mapping[str, Any], path: str) -> None:
    """Raise Unfit if the JSON `value`, or the object `made` of it, is beyond a limit."""
    for name, limit in found.items():
        if name in _BOUNDS:
            _, holds, told = _BOUNDS[name]
            if _comparable(made, limit) and not _holds(holds, made, limit):
                raise Unfit(path, f"{seen(value)} is {told} {limit}")
        elif name in _LENGTHS:
            _, holds, told = _LENGTHS[name]
            if isinstance(value, str | list | dict) and not holds(len(value), limit):
                raise Unfit(path, f"{seen(value)} is too {told}: its length is {len(value)}, the limit {limit}")
        elif name == "pattern":
            if isinstance(value, str) and not re.search(limit, value):
                raise Unfit(path, f"{seen(value)} does not match {seen(limit)}")
        elif _is_number(made) and not _is_multiple(made, limit):
            raise Unfit(path, f"{seen(value)} is not a multiple of {limit}")


def _each(notes: Iterable[Any]) -> Iterator[Any]:
    for note in notes:
        inner = getattr(note, "metadata", None)  # of pydantic's Field
        yield from [note] if inner is None or isinstance(note, str) else inner


def _types(made: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema names; none if it leaves them open."""
    if "anyOf" in made:
        inner = [_types(one) for one in made["anyOf"]]
        return set().union(*inner) if all(inner) else set()
    return {made["type"]} if isinstance(made.get("type"), str) else set()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _comparable(made: Any, limit: Any) -> bool:
    return (_is_number(made) and _is_number(limit)) or (isinstance(made, _TIMES) and isinstance(limit, _TIMES))


def _holds(holds: Callable[[Any, Any], bool], made: Any, limit: Any) -> bool:
    try:
        return holds(made, limit)
    except TypeError:  # a time with, and one without a zone
        return False


def _is_multiple(made: Any, limit: Any) -> bool:
    if isinstance(made, float) or isinstance(limit, float):
        quotient = float(made) / float(limit)  # as jsonschema has it: 0.3 is no multiple of 0.1
        return quotient.is_integer() if abs(quotient) < float("inf") else Fraction(made) % Fraction(limit) == 0
    return bool(made % limit == 0)
