"""Names of models and of their families, for suggestions and short names; any name can be sent."""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

_MAX_NAME = 100  # characters
_MAX_SUGGESTIONS = 3
_FAMILY = re.compile(r"claude-(?:[\d.-]+-)?([a-z]{3,})(?=-|$)")
_VERSION = re.compile(r"(?<!\d)\d{1,3}(?!\d)")
_endpoint_names: list[str] = []


def names() -> Sequence[str]:
    """Newest first: the models an endpoint has listed, else those of the time of the release."""
    return _endpoint_names or bundled_names()


def remember(names: Sequence[str]) -> None:
    """Remembers the models that an endpoint has listed."""
    _endpoint_names[:] = names


def bundled_names() -> Sequence[str]:
    """The models at the time of the release, newest first."""
    return tuple(_data()["models"])


def as_of() -> str:
    """The date of these names, in ISO 8601."""
    return str(_data()["as_of"])


def family(name: str) -> str:
    """The family of a model, such as `opus` for `claude-opus-5-5`; `""` if it has none."""
    parts = _FAMILY.search(name)
    return parts[1] if parts and _VERSION.search(name) else ""


def members(name: str, known: Mapping[str, str]) -> list[str]:
    """The models of a family, newest first, whatever the case of its name.

    Args:
        known: The models, and when each was released, in ISO 8601; where one is `""`, the versions decide.
    """
    models = [model for model in known if family(model) == name.lower()]
    dated = all(known[model] for model in models)

    def age(model: str) -> tuple[str, list[int], int]:
        return known[model] if dated else "", [int(number) for number in _VERSION.findall(model)], -len(model)

    return sorted(models, key=age, reverse=True)


@functools.cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(resources.files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return data


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to three of the `known` names: first those that contain `name`, then those with a similar spelling."""
    normalized = _normalize(name[:_MAX_NAME])
    if not normalized:
        return []
    by_spelling: dict[str, str] = {}
    for each in known:
        by_spelling.setdefault(_normalize(each[:_MAX_NAME]), each)
    longer = [spelling for spelling in by_spelling if normalized in spelling]
    similar = difflib.get_close_matches(normalized, by_spelling, n=2 * _MAX_SUGGESTIONS, cutoff=0.5)
    return [by_spelling[spelling] for spelling in dict.fromkeys([*longer, *similar])][:_MAX_SUGGESTIONS]


def _normalize(name: str) -> str:
    """`name` in the form of model ids: `Opus 5.5` becomes `opus-5-5`."""
    return "-".join(name.lower().replace(".", "-").replace("_", "-").split()).strip("-")
