"""Names of models that are known: for suggestions only; any name is sent."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from importlib import resources

_remembered: list[str] = []


def names() -> Sequence[str]:
    """Newest first: what an endpoint has listed, else what was known when this was released."""
    return _remembered or _shipped()


def remember(names: Sequence[str]) -> None:
    """Keep what an endpoint has listed."""
    _remembered[:] = names


@functools.cache
def _shipped() -> tuple[str, ...]:
    data = json.loads(resources.files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return tuple(data["models"])
