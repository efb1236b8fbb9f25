"""Counts and inner objects of the API's JSON, where what is not of its form is unknown, not a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 2**63  # more is no count


class UnknownCount(Exception):
    """A number would have to be guessed."""


def count(values: Mapping[str, Any], name: str, *, needed: bool = False) -> int:
    value = values.get(name)
    if value is None and not needed:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise UnknownCount
    return value


def inner(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = values.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnknownCount
    return value


def mappings(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = values.get(name) or []
    if not isinstance(value, list | tuple) or not all(isinstance(each, Mapping) for each in value):
        raise UnknownCount
    return list(value)
