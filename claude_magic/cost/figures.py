"""Reads numbers and objects from the API's JSON; a value of another type raises `UnknownCount`, it is not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LIMIT = 2**63  # larger numbers are not plausible


class UnknownCount(Exception):
    """A number is not known, and would have to be guessed."""


def count(values: Mapping[str, Any], name: str, *, required: bool = False) -> int:
    """The number in field `name`; 0 if it is absent and not required."""
    value = values.get(name)
    if value is None and not required:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LIMIT:
        raise UnknownCount
    return value


def object_field(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object in field `name`; an empty one if it is absent."""
    value = values.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnknownCount
    return value


def object_list(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of the list in field `name`; an empty list if it is absent."""
    value = values.get(name) or []
    if not isinstance(value, list | tuple) or not all(isinstance(each, Mapping) for each in value):
        raise UnknownCount
    return list(value)
