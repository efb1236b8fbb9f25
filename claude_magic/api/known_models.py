"""Names of models, for suggestions only; any name can be sent."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Sequence
from importlib import resources

_MAX_NAME = 100  # characters
_MAX_SUGGESTIONS = 3
_endpoint_names: list[str] = []


def names() -> Sequence[str]:
    """Newest first: the models an endpoint has listed, else those of the time of the release."""
    return _endpoint_names or _bundled_names()


def remember(names: Sequence[str]) -> None:
    """Remembers the models that an endpoint has listed."""
    _endpoint_names[:] = names


@functools.cache
def _bundled_names() -> tuple[str, ...]:
    data = json.loads(resources.files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return tuple(data["models"])


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
