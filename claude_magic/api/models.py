"""Names of models that were known when this was released: for suggestions only; any name is sent."""

from __future__ import annotations

import functools
import json
from importlib import resources


@functools.cache
def names() -> tuple[str, ...]:
    """Newest first."""
    data = json.loads(resources.files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
    return tuple(data["models"])
