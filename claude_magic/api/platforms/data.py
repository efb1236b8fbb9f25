"""What is known of a platform, as dated data: its names of models, and what it lacks; each entry with its source."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from ..known_models import members

_ROUTE = re.compile(
    r"\A[a-z]{2,8}(?:-[a-z]{2,8})?\.(?=anthropic\.)"
)  # where a model of Bedrock is run: `us.`, `us-gov.`


def without_route(model: str) -> str:
    """A name of Bedrock without where the model is run."""
    return _ROUTE.sub("", model)


@dataclass(frozen=True, kw_only=True)
class PlatformData:
    """The data of one platform.

    Attributes:
        name: As in `Claude.provider`.
        title: As people call it.
        as_of: The date of the data, in ISO 8601.
        client: The class of the official Python SDK.
        models: By the API's name of a model: `id` there, and its `source`.
        lacks: By feature: the `source`, and perhaps `as_of` and what to do `instead`.
        prefix: What stands before the API's name of a model that is not listed.
        prices: By what begins a name, or the setting that `by` names, the factor on the API's prices, as `routes`;
            empty where they are not known.
        largest: How many `bytes` a request may have, and the `source`; empty where that is not known.
    """

    name: str
    title: str
    as_of: str
    client: str
    models: Mapping[str, Mapping[str, Any]]
    lacks: Mapping[str, Mapping[str, str]]
    prefix: str = ""
    prices: Mapping[str, Any] = field(default_factory=dict)
    largest: Mapping[str, Any] = field(default_factory=dict)

    def model_id(self, name: str) -> str:
        """The platform's name of a model: of a family its newest there, of a name of the API the one that it has there.

        Any other name, such as an ARN, is itself.
        """
        newest = next(iter(members(name, dict.fromkeys(self.models, ""))), "") if name.isalpha() else ""
        known = self.models.get(newest or name)
        if known is not None:
            return str(known["id"])
        return f"{self.prefix}{name}" if self.prefix and name.startswith("claude-") else name

    def api_name(self, model: str) -> str:
        """The API's name of a model of the platform, wherever it is run; `""` if it is not known."""
        bare = without_route(model)
        return next((name for name, known in self.models.items() if bare in (name, without_route(known["id"]))), "")

    def price_factor(self, model: str, settings: Mapping[str, str]) -> float | None:
        """The factor on the API's prices for a model of the platform, where it is run; `None` if it is not known.

        Args:
            settings: What chooses the place there, such as `region`.
        """
        routes: Mapping[str, float] = self.prices.get("routes", {})
        place = settings.get(self.prices["by"], "") if "by" in self.prices else model
        return next((factor for route, factor in routes.items() if place.startswith(route)), None)


@functools.cache
def load(name: str) -> PlatformData:
    """The data of the platform of this name."""
    text = resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return PlatformData(name=name, **json.loads(text))
