"""The models that an endpoint lists, remembered for a day; and `haiku`, `sonnet`, `opus`: the newest of a family."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path

from ..api import known_models, platforms
from ..api.client import Client
from ..api.endpoints.models import Model, list_models
from ..api.provider import Provider
from ..concurrency import Lock
from ..errors import ExchangeError, Interrupted
from ..settings import Claude
from .provider import base_url, is_local

_lock = Lock()
_failures: dict[str, str] = {}  # by endpoint: why it lists no models


def todays_models(settings: Claude) -> list[Model] | None:
    """The models that the endpoint has listed today; `None` if it was not asked yet."""
    try:
        value = json.loads(cache_path(settings).read_text(encoding="utf-8"))
        return [Model(**each) for each in value["models"]] if value["day"] == date.today().isoformat() else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def listed_models(client: Client, provider: Provider, settings: Claude) -> list[Model]:
    """The models of the endpoint, by a new request.

    Raises:
        ExchangeError: The endpoint does not list models, or does not answer.
        Interrupted: The user stopped it.
    """
    models = list_models(client, base_url=provider.base_url, api_version=settings.api_version)
    path = cache_path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        value = {"day": date.today().isoformat(), "models": [asdict(model) for model in models]}
        path.write_text(json.dumps(value, default=dict), encoding="utf-8")
    except (OSError, TypeError, ValueError):
        pass  # then it is listed again
    return models


def names(settings: Claude) -> list[str]:
    """The names for `-m`: families, then models; nothing is sent."""
    platform = platforms.data_of(settings.provider)
    if platform is not None:
        return [*dict.fromkeys(filter(None, map(known_models.family, platform.models))), *platform.models]
    models = todays_models(settings)
    known = known_models.names() if models is None else [model.id for model in models if _is_active(model)]
    return [*dict.fromkeys(filter(None, map(known_models.family, known))), *known]


def model_id(settings: Claude, name: str) -> str:
    """The model that `name` stands for, as far as it is known without a request; a model's own name is itself.

    A family stands for its newest model in today's list of the endpoint, else in the data of this release; a platform
    has names of its own.
    """
    platform = platforms.data_of(settings.provider)
    if platform is not None:
        return platform.model_id(name)
    return next(iter(family_models(settings, name)), name)


def family_models(settings: Claude, name: str) -> Sequence[str]:
    """The models of the family `name`, newest first; empty if it is the name of no family."""
    if not name.isalpha():
        return ()
    models = todays_models(settings) or []
    if name in (model.id for model in models):
        return ()
    listed = {model.id: model.created for model in models if _is_active(model)}
    bundled = dict.fromkeys(known_models.bundled_names(), "")
    return tuple(dict.fromkeys(each for known in (listed, bundled) for each in known_models.members(name, known)))


def list_for_alias(client: Client, provider: Provider, settings: Claude, name: str) -> str:
    """Has the endpoint list its models, if `name` is a family and that was not done today.

    Returns:
        A note for the user if it lists none, so that the data of this release decides; else `""`.

    Raises:
        Interrupted: The user stopped it.
    """
    if provider.local or provider.platform is not None or not family_models(settings, name):
        return ""
    with _lock:
        if todays_models(settings) is not None:
            return ""
        if provider.base_url not in _failures:
            try:
                listed_models(client, provider, settings)
            except Interrupted:
                raise
            except ExchangeError as error:
                _failures[provider.base_url] = str(error)
            else:
                return ""
    model = model_id(settings, name)
    why = _failures[provider.base_url].rstrip(".")
    return f"{name} is {model}, the newest as of {known_models.as_of()}: the endpoint lists no models ({why[:200]})"


def cache_path(settings: Claude) -> Path:
    """Where the list of the endpoint is kept."""
    import platformdirs

    endpoint = f"local {settings.local_model}" if is_local(settings) else base_url(settings)
    where = sha256(endpoint.encode()).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("claude-magic")) / f"models-{where}.json"


def _is_active(model: Model) -> bool:
    ended = model.retires and model.retires[:10] <= date.today().isoformat()
    return model.lifecycle != "retired" and not ended
