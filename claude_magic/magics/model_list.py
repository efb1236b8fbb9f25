"""`claude.models`: the models of the endpoint, listed once a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..api import known_models
from ..api.endpoints.models import Model
from ..api.known_models import nearest
from ..cost.prices import rates
from ..errors import CellError, did_you_mean
from ..session.model_list import listed_models, todays_models
from ..session.send import Sender
from ..settings import Claude


class Models(Sequence[Model]):
    """Models, newest first; displayed, they are a table."""

    def __init__(self, models: Sequence[Model], prices: Mapping[str, Mapping[str, Any]]) -> None:
        self._models = models
        self._prices = prices

    def __len__(self) -> int:
        return len(self._models)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._find(index)
        return self._models[index]

    def _find(self, name: str) -> Model:
        by_name = {model.id: model for model in self._models}
        if name not in by_name:
            near = did_you_mean(nearest(name, list(by_name)))
            raise CellError(f"no model {name!r}.{near} claude.models lists all.")
        return by_name[name]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.models import model_table

        return model_table([self._row(model) for model in self._models])

    def _row(self, model: Model) -> dict[str, Any]:
        prices = rates(model.id, self._prices)
        row = asdict(model)
        row["retires"] = row["retires"] or prices.get("sdk_deprecated_eol", "")
        return {**row, "usd_input": prices.get("input"), "usd_output": prices.get("output")}


def models(sender: Sender, settings: Claude) -> Models:
    """The models of the endpoint, from today's list or a new one.

    Raises:
        ExchangeError: The endpoint does not list models, or does not answer.
        SettingsError: There is no provider.
        Interrupted: The user stopped it.
    """
    several = todays_models(settings)
    if several is None:
        with sender.endpoint(settings) as (client, provider):
            several = listed_models(client, provider, settings)
    known_models.remember([model.id for model in several if model.lifecycle != "retired"])
    return Models(several, settings.prices)
