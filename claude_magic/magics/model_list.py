"""`claude.models`: the models that the endpoint has, asked for once a day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..api import known_models as known_models
from ..api.client import Client
from ..api.endpoints.models import Model, list_models
from ..api.known_models import nearest
from ..api.provider import Provider
from ..cost.prices import rates
from ..errors import CellError, did_you_mean
from ..session.provider import is_local
from ..session.send import SessionContext, with_transport
from ..settings import Claude


class Models(Sequence[Model]):
    """Models, newest first; shown, they are a table."""

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
        found = {model.id: model for model in self._models}
        if name not in found:
            near = did_you_mean(nearest(name, list(found)))
            raise CellError(f"no model {name!r}.{near} claude.models lists all.")
        return found[name]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.tables.models import model_table

        return model_table([self._row(model) for model in self._models])

    def _row(self, model: Model) -> dict[str, Any]:
        found = rates(model.id, self._prices)
        row = asdict(model)
        row["retires"] = row["retires"] or found.get("sdk_deprecated_eol", "")
        return {**row, "usd_input": found.get("input"), "usd_output": found.get("output")}


def models(means: SessionContext) -> Models:
    """The models of the endpoint: those of today's list, or of one that is asked for now.

    Raises:
        ExchangeError: The endpoint does not list models, or does not answer.
        SettingsError: Nobody can be asked.
        Interrupted: The reader stopped it.
    """
    settings = means.settings
    found = _load_cache(settings)
    if found is None:
        found = with_transport(means, lambda client, asked: _fetch(client, asked, settings))
        _save_cache(settings, found)
    known_models.remember([model.id for model in found if model.lifecycle != "retired"])
    return Models(found, settings.prices)


def names(settings: Claude) -> Sequence[str]:
    """What can stand after `-m`; the endpoint is not asked."""
    found = _load_cache(settings)
    return known_models.names() if found is None else [model.id for model in found if model.lifecycle != "retired"]


def _fetch(client: Client, asked: Provider, settings: Claude) -> list[Model]:
    return list_models(client, base_url=asked.base_url, api_version=settings.api_version)


def _load_cache(settings: Claude) -> list[Model] | None:
    """Today's list of this endpoint; `None` if there is none."""
    try:
        value = json.loads(_path(settings).read_text(encoding="utf-8"))
        return [Model(**each) for each in value["models"]] if value["day"] == date.today().isoformat() else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _save_cache(settings: Claude, models: Sequence[Model]) -> None:
    path = _path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        value = {"day": date.today().isoformat(), "models": [asdict(model) for model in models]}
        path.write_text(json.dumps(value, default=dict), encoding="utf-8")
    except (OSError, TypeError, ValueError):
        return  # then it is asked for again


def _path(settings: Claude) -> Path:
    import platformdirs

    endpoint = f"local {settings.local_model}" if is_local(settings) else settings.base_url
    where = sha256(endpoint.encode()).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("claude-magic")) / f"models-{where}.json"
