"""What tokens cost: dated data, and the one place that reads it."""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import Any

_DATE = re.compile(r"[-@]\d{8}$")


@functools.cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("prices.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def as_of() -> str:
    """The day that the prices are of, in ISO 8601."""
    return str(_data()["as_of"])


def estimate(model: str, *, sent: int, received: int) -> float | None:
    """US dollars for so many uncached tokens sent and received; `None` if the price is unknown."""
    models = _data()["models"]
    rates = models.get(model) or models.get(_DATE.sub("", model))
    if rates is None:
        return None
    tier = rates.get("long_prompt")
    if tier and sent > tier["threshold_prompt_tokens"]:
        rates = tier
    return float(sent * rates["input"] + received * rates["output"]) / 1_000_000
