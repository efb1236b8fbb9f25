"""Names of models that are known: for suggestions only; any name is sent."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Sequence
from importlib import resources

_LONGEST_NAME = 100
_NEAR = 3
_remembered: list[str] = []


def names() -> Sequence[str]:
    """Newest first: what an endpoint has listed, else what was known when this was released."""
    return _remembered or _bundled_names()


def remember(names: Sequence[str]) -> None:
    """Keep what an endpoint has listed."""
    _remembered[:] = names


@functools.cache
def _bundled_names() -> tuple[str, ...]:
    data = json.loads(resources.files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return tuple(data["models"])


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Up to three of the `known` names: first those that hold `name`, then those that are written like it."""
    wanted = _plainly(name[:_LONGEST_NAME])
    if not wanted:
        return []
    by_spelling: dict[str, str] = {}
    for each in known:
        by_spelling.setdefault(_plainly(each[:_LONGEST_NAME]), each)
    holding = [spelling for spelling in by_spelling if wanted in spelling]
    alike = difflib.get_close_matches(wanted, by_spelling, n=2 * _NEAR, cutoff=0.5)
    return [by_spelling[spelling] for spelling in dict.fromkeys([*holding, *alike])][:_NEAR]


def _plainly(name: str) -> str:
    """`name` as ids are written: `Opus 5.5` is `opus-5-5`."""
    return "-".join(name.lower().replace(".", "-").replace("_", "-").split()).strip("-")
